#include "router/attempts.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct attempts *all;

static int set_up(void **state)
{
	all = attempts_create();
	return 0;
}

static int tear_down(void **state)
{
	attempts_destroy(&all);
	return 0;
}

static void begin(struct attempt **holder, const char *remote, bool out, bool wanted)
{
	static uint64_t now_ms = 1000;

	now_ms++;
	attempt_begin(all, holder,
		      &(struct attempt_start){ .local = "home.example",
					       .remote = remote,
					       .xcoder = "0123456789A",
					       .out = out,
					       .wanted = wanted,
					       .now_ms = now_ms,
					       .unix_ms = 5000000 + now_ms });
}

static void note(struct attempt *attempt, uint64_t now_ms, const char *text)
{
	attempt_note(attempt, &(struct attempt_note){ .now_ms = now_ms,
						      .took_ms = STEP_TOOK_UNKNOWN,
						      .who = ATTEMPT_PEER,
						      .step = STEP_FEATURES,
						      .verdict = STEP_OK,
						      .text = slice_of(text) });
}

/* What is told of a domain, a line for each record; to be freed. NULL: nothing is known. */
static char *told(const char *remote)
{
	struct buffer bytes = { 0 }, out = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	const char *why;
	size_t place = 0;

	snapshot_begin(&bytes, 0, 0);
	if (!attempts_write(all, remote, 9000, &bytes)) {
		buffer_finish(&bytes);
		return NULL;
	}
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	assert_non_null(snapshot);
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			buffer_printf(&out, "%s%.*s", i ? "|" : "", SLICE_ARGS(record.fields[i]));
		buffer_append_text(&out, "\n");
	}
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
	return buffer_take_text(&out);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; text && (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static size_t domains(void)
{
	struct attempts_domain domain;
	size_t count = 0;

	for (const void *place = NULL; attempts_next(all, &place, &domain);)
		count++;
	return count;
}

static void an_attempt_tells_its_steps_in_order_with_times(void **state)
{
	struct attempt *attempt = NULL;
	char *text;

	attempt_begin(all, &attempt,
		      &(struct attempt_start){ "home.example", "example.net", "34A9B60C8", true,
					       true, 1000, 1700000000123 });
	attempt_note(attempt, &(struct attempt_note){ 1012, 5, ATTEMPT_DNS, STEP_DNS, STEP_OK,
						      slice_of("SRV: 10 5 5269 xmpp") });
	note(attempt, 1030, "<features/>");
	attempt_ready(attempt, 1100);
	text = told("example.net");
	assert_string_equal(text,
			    "attempt|out|home.example|example.net|34A9B60C8|1700000000123|100|"
			    "ready||\n"
			    "step|12|5|dns|dns|ok|SRV: 10 5 5269 xmpp\n"
			    "step|30||peer|features|ok|<features/>\n");
	free(text);
	attempt_closed(attempt, 5000, FAILURE_LOST, "reset by peer");
	attempt_release(&attempt);
	assert_null(attempt);
	text = told("example.net");
	assert_non_null(strstr(text, "|100|closed|connection-lost|reset by peer\n"));
	free(text);
}

static void a_step_that_was_begun_is_completed_with_how_long_it_took(void **state)
{
	struct attempt_note began = { .now_ms = 1010,
				      .took_ms = STEP_TOOK_UNKNOWN,
				      .who = ATTEMPT_US,
				      .step = STEP_TCP,
				      .text = slice_of("trying 192.0.2.1:5269") };
	struct attempt_note refused = { .now_ms = 1025,
					.took_ms = STEP_TOOK_UNKNOWN,
					.who = ATTEMPT_PEER,
					.step = STEP_TCP,
					.verdict = STEP_BAD,
					.text = slice_of("192.0.2.1:5269: refused"),
					.completes = true };
	struct attempt *attempt = NULL;
	char *text;

	attempt_begin(all, &attempt,
		      &(struct attempt_start){ "home.example", "example.net", "34A9B60C8", true,
					       true, 1000, 1700000000123 });
	attempt_note(attempt, &began);
	attempt_note(attempt, &refused);
	attempt_note(attempt, &refused); /* nothing to complete any more: a step of its own */
	attempt_release(&attempt);
	text = told("example.net");
	assert_non_null(strstr(text, "|25|closed||\n"));
	assert_non_null(strstr(text, "\nstep|10|15|peer|tcp|bad|192.0.2.1:5269: refused\n"
				     "step|25||peer|tcp|bad|192.0.2.1:5269: refused\n"));
	free(text);
}

static void the_last_three_of_each_direction_stay_and_the_last_that_was_ready(void **state)
{
	struct attempt *attempt = NULL;
	char *text;

	begin(&attempt, "example.net", false, false);
	attempt_ready(attempt, 2000);
	for (int i = 0; i < 9; i++) {
		begin(&attempt, "example.net", false, false);
		attempt_failed(attempt, 2000, FAILURE_DIALBACK_REFUSED, "forged");
		begin(&attempt, "example.net", true, false);
	}
	attempt_release(&attempt);
	text = told("example.net");
	assert_int_equal(count_of(text, "attempt|out|"), 3);
	assert_int_equal(count_of(text, "attempt|in|"), 3);
	assert_int_equal(count_of(text, "|ready|"), 1);
	assert_ptr_equal(strstr(text, "attempt|"), strstr(text, "attempt|out|"));
	free(text);
}

static void beginning_and_end_of_a_long_attempt_stay(void **state)
{
	struct attempt *attempt = NULL;
	char line[32], *text;

	begin(&attempt, "example.net", true, true);
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "number %d.", i);
		note(attempt, 2000, line);
	}
	attempt_release(&attempt);
	text = told("example.net");
	assert_int_equal(count_of(text, "step|"), ATTEMPTS_STEPS_MAX + 1);
	assert_non_null(strstr(text, "number 0."));
	assert_non_null(strstr(text, "number 31."));
	assert_null(strstr(text, "number 32."));
	assert_non_null(strstr(text, "52 steps are left out here"));
	assert_non_null(strstr(text, "number 99."));
	free(text);
}

static void what_a_peer_wrote_is_escaped_and_cut(void **state)
{
	struct attempt *attempt = NULL;
	char longer[2000], *text;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	begin(&attempt, "example.net", true, true);
	note(attempt, 2000, "a\nb\x1b[2J\xff <x y=\"z\"/>");
	note(attempt, 2000, longer);
	attempt_release(&attempt);
	text = told("example.net");
	assert_non_null(strstr(text, "|a\\u000ab\\u001b[2J\\xff <x y=\"z\"/>\n"));
	assert_non_null(strstr(text, "xxx...(truncated)\n"));
	assert_in_range(strlen(text), 300, 600);
	free(text);
}

static void one_who_did_not_say_who_he_is_leaves_nothing(void **state)
{
	struct attempt *attempt = NULL;

	begin(&attempt, "", false, false);
	note(attempt, 2000, "x");
	attempt_release(&attempt);
	assert_null(attempt);
	assert_int_equal(domains(), 0);
}

static void an_attempt_is_found_by_the_name_said_later(void **state)
{
	struct attempt *attempt = NULL;
	char *text;

	begin(&attempt, "", false, false);
	note(attempt, 2000, "early");
	attempt_name(attempt, "home.example", "claimed.example");
	attempt_name(attempt, "chat.home.example", "proven.example");
	attempt_ready(attempt, 2000);
	attempt_name(attempt, "home.example", "another.example"); /* a second pair on it */
	attempt_release(&attempt);
	text = told("proven.example");
	assert_non_null(strstr(text, "attempt|in|chat.home.example|proven.example|"));
	assert_non_null(strstr(text, "early"));
	free(text);
	text = told("claimed.example");
	assert_string_equal(text, "");
	free(text);
	assert_null(told("another.example"));
}

static void strangers_push_out_only_strangers(void **state)
{
	struct attempt *attempt = NULL;
	char domain[64];

	for (int i = 0; i < 700; i++) {
		snprintf(domain, sizeof(domain), "known%d.example", i);
		begin(&attempt, domain, true, true);
	}
	for (int i = 0; i < 3000; i++) {
		snprintf(domain, sizeof(domain), "claimed%d.example", i);
		begin(&attempt, domain, false, false);
	}
	attempt_release(&attempt);
	assert_int_equal(domains(), 700 + ATTEMPTS_STRANGERS_MAX);
	assert_null(told("claimed0.example"));
	for (int i = 0; i < 700; i++) {
		char *text;

		snprintf(domain, sizeof(domain), "known%d.example", i);
		text = told(domain);
		assert_non_null(text);
		free(text);
	}
}

static void the_domain_least_talked_to_goes_and_its_driver_knows(void **state)
{
	struct attempt *first = NULL, *kept = NULL, *attempt = NULL;
	char domain[64];

	begin(&first, "first.example", true, true);
	begin(&kept, "kept.example", true, true);
	for (int i = 0; i < ATTEMPTS_DOMAINS_MAX - 1; i++) {
		struct attempt *again = NULL;

		snprintf(domain, sizeof(domain), "d%d.example", i);
		begin(&attempt, domain, true, true);
		begin(&again, "kept.example", false, true);
		attempt_release(&again);
	}
	attempt_release(&attempt);
	assert_int_equal(domains(), ATTEMPTS_DOMAINS_MAX);
	assert_null(first);
	note(first, 9000, "x"); /* harmless */
	assert_non_null(kept);
	attempt_release(&kept);
}

static void bytes_are_bounded_whoever_fills_them(void **state)
{
	struct attempt *attempts[400] = { 0 };
	char longer[400], domain[64];
	size_t alive = 0;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (int turn = 0; turn < 8; turn++) {
		for (size_t i = 0; i < nitems(attempts); i++) {
			snprintf(domain, sizeof(domain), "%d-%zu.example", turn, i);
			begin(&attempts[i], i % 2 ? "" : domain, i % 2 == 0, true);
			for (int k = 0; k < ATTEMPTS_STEPS_MAX; k++)
				note(attempts[i], 9000, longer);
			assert_non_null(attempts[i]); /* the newest stays */
		}
	}
	for (size_t i = 0; i < nitems(attempts); i++) {
		alive += attempts[i] != NULL;
		attempt_release(&attempts[i]);
	}
	assert_in_range(alive, 1, nitems(attempts));
	/* 48 steps of 300 bytes and more: that many attempts are in 16 MiB. */
	assert_in_range(domains(), 700, 1000);
}

static void a_domain_tells_its_last_failure_until_it_is_reached(void **state)
{
	struct attempt *attempt = NULL;
	struct attempts_domain domain;
	const void *place = NULL;

	begin(&attempt, "example.net", true, true);
	attempt_failed(attempt, 3000, FAILURE_TCP_TIMEOUT, "192.0.2.1:5269");
	attempt_closed(attempt, 3500, FAILURE_LOST, "later"); /* what failed stays failed */
	assert_true(attempts_next(all, &place, &domain));
	assert_string_equal(domain.remote, "example.net");
	assert_int_equal(domain.failure, FAILURE_TCP_TIMEOUT);
	assert_int_equal(domain.failed_ms, 3000);
	assert_string_equal(domain.why, "192.0.2.1:5269");
	assert_false(attempts_next(all, &place, &domain));

	attempts_refused(all, "example.net", 3600, FAILURE_ON_DENY_LIST);
	place = NULL;
	assert_true(attempts_next(all, &place, &domain));
	assert_int_equal(domain.failure, FAILURE_ON_DENY_LIST);
	assert_int_equal(domain.failed_ms, 3600);
	begin(&attempt, "example.net", true, true);
	attempt_ready(attempt, 4000);
	attempts_count(all, "example.net", 17);
	attempts_count(all, "unknown.example", 17);
	attempt_closed(attempt, 4500, FAILURE_NONE, NULL);
	attempt_release(&attempt);
	place = NULL;
	assert_true(attempts_next(all, &place, &domain));
	assert_int_equal(domain.failure, FAILURE_NONE);
	assert_int_equal(domain.stanzas, 17);
}

/* The failure that the one domain tells of itself. */
static enum failure blamed(void)
{
	struct attempts_domain domain;
	const void *place = NULL;

	assert_true(attempts_next(all, &place, &domain));
	return domain.failure;
}

static void a_claim_does_not_blame_a_domain_whose_own_stream_is_open(void **state)
{
	struct attempt *proven = NULL, *claimed = NULL;

	begin(&proven, "example.net", false, false);
	attempt_ready(proven, 2000);
	begin(&claimed, "example.net", false, false);
	attempt_failed(claimed, 3000, FAILURE_DIALBACK_REFUSED, "forged");
	assert_int_equal(blamed(), FAILURE_NONE);
	begin(&claimed, "example.net", false, false);
	attempt_closed(claimed, 3500, FAILURE_LOST, "forged");
	assert_int_equal(blamed(), FAILURE_NONE);

	attempt_closed(proven, 4000, FAILURE_LOST, "its own"); /* what was proven speaks for it */
	assert_int_equal(blamed(), FAILURE_LOST);
	attempt_release(&proven);
	attempt_release(&claimed);
}

static void a_domain_that_never_got_in_is_told_with_why(void **state)
{
	struct attempt *attempt = NULL;

	begin(&attempt, "example.net", false, false);
	attempt_failed(attempt, 3000, FAILURE_CERTIFICATE_REFUSED, "expired");
	assert_int_equal(blamed(), FAILURE_CERTIFICATE_REFUSED);
	attempt_release(&attempt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_tells_its_steps_in_order_with_times),
		TEST(a_step_that_was_begun_is_completed_with_how_long_it_took),
		TEST(the_last_three_of_each_direction_stay_and_the_last_that_was_ready),
		TEST(beginning_and_end_of_a_long_attempt_stay),
		TEST(what_a_peer_wrote_is_escaped_and_cut),
		TEST(one_who_did_not_say_who_he_is_leaves_nothing),
		TEST(an_attempt_is_found_by_the_name_said_later),
		TEST(strangers_push_out_only_strangers),
		TEST(the_domain_least_talked_to_goes_and_its_driver_knows),
		TEST(bytes_are_bounded_whoever_fills_them),
		TEST(a_domain_tells_its_last_failure_until_it_is_reached),
		TEST(a_claim_does_not_blame_a_domain_whose_own_stream_is_open),
		TEST(a_domain_that_never_got_in_is_told_with_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
