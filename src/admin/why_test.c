#include "admin/why_report.h"
#include "admin/why_text.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "ipc/snapshot.h"
#include "tables/failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A report of records that are written "a|b|c", one a line. */
static json_t *report_of(const char *lines)
{
	struct buffer bytes = { 0 };
	json_t *report;

	snapshot_begin(&bytes, 0, 0);
	while (*lines) {
		size_t line = strcspn(lines, "\n");
		struct snapshot_record record = { 0 };

		for (const char *at = lines; at <= lines + line;) {
			size_t len = strcspn(at, "|\n");

			record.fields[record.count++] = (struct slice){ at, len };
			at += len + 1;
		}
		snapshot_add(&bytes, &record);
		lines += line + (lines[line] == '\n');
	}
	report = why_report((struct slice){ buffer_data(&bytes), buffer_len(&bytes) });
	buffer_finish(&bytes);
	assert_non_null(report);
	return report;
}

static const char *says(const json_t *report, const char *key)
{
	const char *text = json_string_value(json_object_get(report, key));

	return text ? text : "(null)";
}

#define EDGE "node|edge-a|edge\ndomain|far.example|foreign\n"
#define ALLOWED "policy|home.example|allowed||dns\n"
#define OUT "attempt|out|home.example|far.example|34A9B60C8|1700000000000|"
#define IN "attempt|in|home.example|far.example|34A9B60C9|1700000000000|"
#define READY_STEP "step|90||peer|ready|ok|stanzas may be sent\n"

static void one_sentence_and_verdict_for_each_state(void **state)
{
	static const struct {
		const char *records, *verdict, *failure, *headline;
	} rows[] = {
		{ EDGE ALLOWED, "never", "(null)",
		  "far.example was never talked to; it may be, by the DNS" },
		{ EDGE ALLOWED OUT "100|ready||\n" READY_STEP, "up", "(null)",
		  "far.example is reached" },
		{ EDGE ALLOWED OUT "100|ready||\n" READY_STEP IN "100|ready||\n" READY_STEP, "up",
		  "(null)", "far.example is reached, and reaches us" },
		{ EDGE ALLOWED OUT "100|failed|tcp-refused|connection refused\n", "failed",
		  "tcp-refused",
		  "far.example is not reached: the domain's server refuses connections" },
		{ EDGE ALLOWED "queue|home.example|far.example|3|700|12\n" OUT
			       "100|failed|dns-failed|servfail\n",
		  "failed", "dns-failed",
		  "far.example is not reached: the domain could not be looked up now; 3 stanzas "
		  "wait" },
		{ EDGE ALLOWED IN "100|failed|dialback-refused|key\n", "failed", "dialback-refused",
		  "far.example does not get in: the domain's server does not believe that we speak "
		  "for our domain" },
		/* a forged claim does not hide that it works */
		{ EDGE ALLOWED IN "100|failed|dialback-refused|forged\n" IN
				  "100|ready||\n" READY_STEP,
		  "up", "(null)", "far.example reaches us" },
		/* nor is it hidden, while no stream of its own is open */
		{ EDGE ALLOWED IN "100|failed|certificate-refused|expired\n" IN
				  "100|closed||\n" READY_STEP,
		  "idle", "(null)",
		  "far.example worked; no stream is open, and nothing waits; the last that claimed "
		  "to be it did not get in: the domain's server has no valid certificate" },
		{ EDGE ALLOWED OUT "100|ready||\n" READY_STEP IN
				   "100|failed|certificate-refused|expired\n" IN
				   "100|closed||\n" READY_STEP,
		  "up", "(null)",
		  "far.example is reached; the last that claimed to be it did not get in: the "
		  "domain's server has no valid certificate" },
		/* a stream that only asked about a key says nothing */
		{ EDGE ALLOWED OUT "100|closed||\nstep|1||us|verify|info|<db:verify/>\n" OUT
				   "100|ready||\n",
		  "up", "(null)", "far.example is reached" },
		{ EDGE ALLOWED OUT "100|closed||\n" READY_STEP, "idle", "(null)",
		  "far.example worked; no stream is open, and nothing waits" },
		{ EDGE ALLOWED OUT "100|closed|connection-lost|reset\n" READY_STEP, "idle",
		  "connection-lost",
		  "far.example was reached, then: the connection to the domain's server broke" },
		{ EDGE ALLOWED OUT "100|running||\n", "waiting", "(null)",
		  "far.example is being tried now" },
		{ EDGE "policy|home.example|refused|on-deny-list|dns\n" OUT "100|ready||\n",
		  "refused", "on-deny-list",
		  "far.example is refused here: the rules here do not allow contact with this "
		  "domain" },
		{ EDGE, "refused", "not-federated",
		  "far.example is refused here: this domain does not take part in federation" },
		{ "node|edge-a|edge\ndomain|home.example|ours\n", "refused", "(null)",
		  "home.example is a domain of ours: it is not reached by federation" },
		{ EDGE "fault|no secret\n" ALLOWED, "failed", "(null)",
		  "far.example: these settings cannot work: no secret" },
		{ "node|home-a|home\ndomain|far.example|foreign\nway||not-provisioned\n"
		  "ask|core-a|core|linked\n",
		  "failed", "not-provisioned",
		  "far.example cannot be reached from home-a: the gateway to other domains is not "
		  "set up yet" },
		{ "node|home-a|home\ndomain|far.example|foreign\nway|core-a|\n"
		  "ask|core-a|core|linked\n",
		  "never", "(null)",
		  "home-a talks to the world through core-a, which knows more: ask there" },
		{ "node|home-a|home\ndomain|far.example|foreign\nway|core-a|\n", "never", "(null)",
		  "home-a has no way to the world: it is paired with nobody" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		json_t *report = report_of(rows[i].records);

		assert_string_equal(says(report, "headline"), rows[i].headline);
		assert_string_equal(says(report, "verdict"), rows[i].verdict);
		assert_string_equal(says(report, "failure"), rows[i].failure);
		json_decref(report);
	}
}

static void every_failure_has_a_cause_and_a_way_out(void **state)
{
	for (enum failure f = FAILURE_NONE + 1; f < FAILURE_COUNT; f++) {
		char *records =
			xasprintf(EDGE ALLOWED OUT "100|failed|%s|words\n", failure_name(f));
		json_t *report = report_of(records);

		assert_string_equal(says(report, "failure"), failure_name(f));
		assert_true(strlen(says(report, "cause")) > 10);
		assert_true(strlen(says(report, "fix")) > 10);
		assert_string_equal(says(report, "seen"), "words");
		assert_null(strstr(says(report, "command"), "%s"));
		json_decref(report);
		free(records);
	}
}

static void what_was_seen_is_the_last_bad_step_where_the_attempt_has_no_words(void **state)
{
	json_t *report = report_of(EDGE ALLOWED OUT "100|failed|tcp-timeout|\n"
						    "step|1|1|dns|dns|ok|A far.example: 192.0.2.1\n"
						    "step|2|1|us|tcp|bad|192.0.2.1:5269: silence\n"
						    "step|9||us|closed|info|bye\n");

	assert_string_equal(says(report, "seen"), "192.0.2.1:5269: silence");
	json_decref(report);
}

static void a_report_has_all_that_was_told(void **state)
{
	json_t *report = report_of(EDGE ALLOWED
				   "queue|home.example|far.example|3|700|12\nretry|1500\n" OUT
				   "100|failed|tcp-refused|refused\n"
				   "step|12|5|dns|dns|ok|SRV\nstep|30||peer|features|info|<f/>\n");
	json_t *attempt = json_array_get(json_object_get(report, "attempts"), 0);
	char *policy = json_dumps(json_object_get(report, "policy"), JSON_COMPACT);
	char *queue = json_dumps(json_object_get(report, "queue"), JSON_COMPACT);
	char *told = json_dumps(attempt, JSON_COMPACT);

	assert_string_equal(policy, "[{\"local\":\"home.example\",\"verdict\":\"allowed\","
				    "\"why\":null,\"route\":\"dns\"}]");
	assert_string_equal(queue, "[{\"local\":\"home.example\",\"stanzas\":3,\"bytes\":700,"
				   "\"oldest_seconds\":12}]");
	assert_string_equal(
		told,
		"{\"direction\":\"out\",\"local\":\"home.example\",\"remote\":\"far.example\","
		"\"xcoder\":\"34A9B60C8\",\"began\":1700000000000,\"took_ms\":100,"
		"\"state\":\"failed\",\"failure\":\"tcp-refused\",\"why\":\"refused\",\"steps\":["
		"{\"at_ms\":12,\"took_ms\":5,\"who\":\"dns\",\"name\":\"dns\",\"verdict\":\"ok\","
		"\"text\":\"SRV\"},"
		"{\"at_ms\":30,\"took_ms\":null,\"who\":\"peer\",\"name\":\"features\","
		"\"verdict\":\"info\",\"text\":\"<f/>\"}]}");
	assert_int_equal(json_integer_value(json_object_get(report, "retry_ms")), 1500);
	assert_string_equal(says(report, "domain"), "far.example");
	free(policy);
	free(queue);
	free(told);
	json_decref(report);
}

static void a_core_says_the_worst_of_its_edges_and_keeps_them_all(void **state)
{
	json_t *reports = json_array();
	json_t *core = report_of("node|core-a|core\ndomain|far.example|foreign\nway|edge-a|\n");
	char *text;

	json_array_append_new(reports, report_of(EDGE ALLOWED OUT "100|ready||\n" READY_STEP));
	json_array_append_new(reports,
			      report_of("node|edge-b|edge\ndomain|far.example|foreign\n" ALLOWED OUT
					"100|failed|tcp-timeout|silence\n"));
	core = why_merge(core, reports);
	assert_string_equal(says(core, "node"), "core-a");
	assert_string_equal(says(core, "verdict"), "failed");
	assert_string_equal(says(core, "headline"), "on edge-b: far.example is not reached: the "
						    "domain's server does not answer");
	assert_int_equal(json_array_size(json_object_get(core, "nodes")), 2);
	text = why_text(core);
	assert_non_null(strstr(text, "\n\nedge-a\nfar.example is reached\n"));
	assert_non_null(strstr(text, "\n\nedge-b\nfar.example is not reached"));
	free(text);
	json_decref(core);
}

static void the_only_edge_speaks_for_the_core(void **state)
{
	json_t *core = report_of("node|core-a|core\ndomain|far.example|foreign\nway|edge-a|\n"
				 "ask|edge-a|edge|linked\n");
	json_t *reports = json_array();
	char *text;

	json_array_append_new(reports, report_of(EDGE ALLOWED OUT "100|ready||\n" READY_STEP));
	core = why_merge(core, reports);
	assert_string_equal(says(core, "headline"), "far.example is reached");
	assert_int_equal(json_array_size(json_object_get(core, "attempts")), 1);
	text = why_text(core);
	assert_null(strstr(text, "ask ")); /* it was asked already */
	free(text);
	json_decref(core);
}

static void an_edge_that_cannot_tell_is_to_be_asked_by_hand(void **state)
{
	json_t *core = report_of("node|core-a|core\ndomain|far.example|foreign\nway|edge-a|\n"
				 "ask|edge-a|edge|down\n");
	char *text;

	core = why_merge(core, json_pack("[{s:s, s:s}]", "node", "edge-a", "headline",
					 "edge-a cannot tell: no tunnel"));
	text = why_text(core);
	assert_non_null(strstr(text, "edge-a cannot tell: no tunnel\n"));
	assert_non_null(strstr(text, "ask     `sallyport why far.example` on edge-a"));
	free(text);
	json_decref(core);
}

static void a_domain_that_is_none_does_not_get_into_a_command(void **state)
{
	json_t *report = report_of("node|edge-a|edge\ndomain|x`reboot`|foreign\n" ALLOWED OUT
				   "100|failed|timeout|\n");

	assert_string_equal(says(report, "command"), "sallyport log domain=?");
	json_decref(report);
}

/* It may be in the hands of somebody else. */
static void what_an_edge_says_is_judged_by_the_core(void **state)
{
	json_t *said = report_of(EDGE ALLOWED OUT "100|failed|timeout|\n"), *heard;
	static const char *const ours[] = { "verdict", "failure", "headline", "cause",
					    "fix",     "command", "domain",   "node" };

	heard = why_heard(said, "edge-a", "far.example");
	for (size_t i = 0; i < nitems(ours); i++)
		assert_string_equal(says(heard, ours[i]), says(said, ours[i]));
	json_decref(heard);
	for (size_t i = 0; i < nitems(ours); i++)
		json_object_set_new(said, ours[i], json_string("sallyport x; reboot"));
	heard = why_heard(said, "edge-a", "far.example");
	for (size_t i = 0; i < nitems(ours); i++)
		assert_null(strstr(says(heard, ours[i]), "reboot"));
	assert_string_equal(says(heard, "command"), "sallyport log domain=far.example");
	json_decref(heard);
	json_decref(said);
	said = json_pack("{s:i, s:s, s:[i], s:{}, s:s}", "policy", 1, "queue", "x", "attempts", 1,
			 "ways", "ours", "yes");
	heard = why_heard(said, "edge-a", "far.example");
	assert_string_not_equal(says(heard, "headline"), "");
	json_decref(heard);
	json_decref(said);
}

static void the_text_leads_with_cause_and_fix_and_fits_a_terminal(void **state)
{
	json_t *report = report_of(
		EDGE ALLOWED "queue|home.example|far.example|3|700|12\nretry|1500\n" OUT
			     "112|failed|tcp-refused|192.0.2.1:5269: Connection refused\n"
			     "step|0||policy|policy|ok|home.example and far.example may talk, by "
			     "the DNS\n"
			     "step|1|11|dns|dns|ok|SRV _xmpp-server._tcp.far.example: 0 5 5269 "
			     "xmpp.far.example (DNSSEC: secure)\n"
			     "step|12|100|peer|tcp|bad|192.0.2.1:5269: Connection refused\n");
	static const char *const wanted =
		"far.example is not reached: the domain's server refuses connections; 3 stanzas\n"
		"wait\n"
		"cause   nothing listens there, or a firewall rejects\n"
		"fix     let port 5269 out of here, and ask the domain's operator whether the\n"
		"        server runs and its firewall lets us in\n"
		"seen    192.0.2.1:5269: Connection refused\n"
		"policy  home.example may talk to it, by the DNS\n"
		"waiting 3 stanzas from home.example, 700 bytes, the oldest for 12 s\n"
		"next    it is tried again in 1.5 s\n"
		"\n"
		"out  home.example -> far.example  2023-11-14T22:13:20Z  failed: tcp-refused\n"
		"     after 112 ms\n"
		"     0 ms            policy     + home.example and far.example may talk, by the\n"
		"                                  DNS\n"
		"     1 ms    +11 ms  dns        + SRV _xmpp-server._tcp.far.example: 0 5 5269\n"
		"                                  xmpp.far.example (DNSSEC: secure)\n"
		"    12 ms   +100 ms  tcp        ! 192.0.2.1:5269: Connection refused\n";
	char *text = why_text(report), *at = text;

	assert_string_equal(text, wanted);
	for (; *at; at += strcspn(at, "\n") + 1)
		assert_in_range(strcspn(at, "\n"), 0, 80);
	free(text);
	json_decref(report);
}

static void what_cannot_be_read_is_no_report(void **state)
{
	assert_null(why_report(slice_of("SALLYPT1 and then nothing")));
	assert_null(why_report((struct slice){ "", 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sentence_and_verdict_for_each_state),
		cmocka_unit_test(every_failure_has_a_cause_and_a_way_out),
		cmocka_unit_test(what_was_seen_is_the_last_bad_step_where_the_attempt_has_no_words),
		cmocka_unit_test(a_report_has_all_that_was_told),
		cmocka_unit_test(a_core_says_the_worst_of_its_edges_and_keeps_them_all),
		cmocka_unit_test(the_only_edge_speaks_for_the_core),
		cmocka_unit_test(an_edge_that_cannot_tell_is_to_be_asked_by_hand),
		cmocka_unit_test(a_domain_that_is_none_does_not_get_into_a_command),
		cmocka_unit_test(what_an_edge_says_is_judged_by_the_core),
		cmocka_unit_test(the_text_leads_with_cause_and_fix_and_fits_a_terminal),
		cmocka_unit_test(what_cannot_be_read_is_no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
