#include "provision/replica.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HELLO                                                                                      \
	"{\"type\":\"hello\",\"protocol\":1,\"release\":\"9\",\"node\":\"edge-a\","                \
	"\"role\":\"edge\"}\n"

static struct replica_clock clock_now = { .now_ms = 1000, .wall_ms = 1800000000000 };

static struct replica *create(void)
{
	return replica_create(
		&(struct replica_options){ "core-a", "core", "0.1.0", "edge-a", "edge", 15000 });
}

static void says(struct replica *r, const char *text)
{
	replica_feed(r, slice_of(text), &clock_now);
}

/* All events since, as text. */
static const char *events(struct replica *r)
{
	static char text[1024];
	static const char *const names[] = { "none",  "timer",	"ready", "settings", "acked",
					     "naked", "status", "ask",	 "answer",   "closed" };
	struct replica_event e;

	text[0] = '\0';
	while ((e = replica_next(r)).type != REPLICA_NONE) {
		char *document = e.document ? json_dumps(e.document, JSON_COMPACT) : NULL;
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s", names[e.type]);
		if (e.revision)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d",
				 (int)e.revision);
		if (e.number)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d%s%s",
				 (int)e.number, e.text ? " " : "", e.text ? e.text : "");
		if (document || e.why)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
				 document ? document : e.why);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "|");
		free(document);
	}
	return text;
}

/* Whether our output has it, which is then gone. */
static bool we_said(struct replica *r, const char *text)
{
	struct buffer *out = replica_output(r);
	char *said;
	bool has;

	buffer_append(out, "", 1);
	said = buffer_take_text(out);
	has = strstr(said, text) != NULL;
	free(said);
	return has;
}

static bool we_are_silent(struct replica *r)
{
	return buffer_len(replica_output(r)) == 0;
}

static void publish(struct replica *r, uint64_t revision, const char *document)
{
	json_t *json = json_loads(document, 0, NULL);

	replica_publish(r, revision, json);
	json_decref(json);
}

static struct replica *opened(void)
{
	struct replica *r = create();

	replica_open(r, &clock_now);
	assert_true(we_said(r, "{\"type\":\"hello\",\"protocol\":1,\"release\":\"0.1.0\","
			       "\"node\":\"core-a\",\"role\":\"core\",\"taken\":0}\n"));
	says(r, HELLO);
	assert_string_equal(events(r), "timer|ready|");
	assert_true(replica_is_open(r));
	assert_true(we_said(r, "\"ping\""));
	return r;
}

static void settings_are_sent_until_they_are_acknowledged(void **state)
{
	struct replica *r = create();

	publish(r, 17, "{\"a\":1}");
	assert_true(we_are_silent(r));
	replica_open(r, &clock_now);
	says(r, HELLO);
	events(r);
	assert_true(we_said(r, "{\"type\":\"settings\",\"revision\":17,\"document\":{\"a\":1}}\n"));
	publish(r, 17, "{\"a\":1}");
	assert_true(we_are_silent(r)); /* the same twice */

	replica_closed(r); /* before the answer */
	replica_open(r, &clock_now);
	says(r, HELLO);
	events(r);
	assert_true(we_said(r, "\"revision\":17"));
	says(r, "{\"type\":\"ack\",\"revision\":17}\n");
	assert_string_equal(events(r), "acked 17|");
	assert_int_equal(replica_acknowledged(r), 17);

	replica_closed(r);
	replica_open(r, &clock_now);
	says(r, HELLO);
	events(r);
	assert_false(we_said(r, "\"settings\""));
	replica_destroy(&r);
}

static void who_has_forgotten_our_settings_gets_them_again(void **state)
{
	static const struct {
		const char *taken;
		bool again;
	} rows[] = { { "17", false }, { "0", true }, { "16", true } };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct replica *r = opened();
		char *hello = xasprintf("{\"type\":\"hello\",\"protocol\":1,\"node\":\"edge-a\","
					"\"role\":\"edge\",\"taken\":%s}\n",
					rows[i].taken);

		publish(r, 17, "{}");
		says(r, "{\"type\":\"ack\",\"revision\":17}\n");
		events(r);
		replica_open(r, &clock_now);
		says(r, hello);
		events(r);
		assert_int_equal(we_said(r, "\"settings\""), rows[i].again);
		free(hello);
		replica_destroy(&r);
	}
}

static void a_newer_revision_replaces_one_without_answer(void **state)
{
	struct replica *r = opened();

	publish(r, 17, "{\"a\":1}");
	publish(r, 18, "{\"a\":2}");
	assert_true(we_said(r, "\"revision\":18"));
	says(r, "{\"type\":\"ack\",\"revision\":17}\n{\"type\":\"ack\",\"revision\":99}\n");
	assert_string_equal(events(r), "");
	says(r, "{\"type\":\"nak\",\"revision\":18,\"why\":\"no room\"}\n");
	assert_string_equal(events(r), "naked 18 no room|");
	assert_int_equal(replica_acknowledged(r), 0);
	replica_destroy(&r);
}

static void a_refusal_is_told_once_on_each_tunnel(void **state)
{
	static const char nak[] = "{\"type\":\"nak\",\"revision\":18,\"why\":\"no room\"}\n";
	struct replica *r = opened();

	publish(r, 18, "{}");
	says(r, nak);
	says(r, nak);
	assert_string_equal(events(r), "naked 18 no room|");
	says(r, nak);
	assert_string_equal(events(r), "");
	replica_open(r, &clock_now);
	says(r, HELLO);
	says(r, nak);
	assert_string_equal(events(r), "timer|ready|naked 18 no room|");
	says(r, "{\"type\":\"ack\",\"revision\":18}\n");
	assert_string_equal(events(r), "acked 18|");
	replica_destroy(&r);
}

/* What it could not store a minute ago it may store now. */
static void refused_settings_are_sent_again_after_a_minute(void **state)
{
	struct replica *r = opened();
	struct replica_clock clock = clock_now;

	publish(r, 18, "{}");
	assert_true(we_said(r, "\"settings\""));
	says(r, "{\"type\":\"nak\",\"revision\":18,\"why\":\"no room\"}\n");
	events(r);
	for (int second = 5; second <= 55; second += 5) {
		clock.now_ms += 5000;
		replica_feed(r, slice_of("{\"type\":\"news\"}\n"), &clock);
		replica_timeout(r, &clock);
		events(r);
		assert_false(we_said(r, "\"settings\""));
	}
	clock.now_ms += 5000;
	replica_feed(r, slice_of("{\"type\":\"news\"}\n"), &clock);
	replica_timeout(r, &clock);
	events(r);
	assert_true(we_said(r, "\"settings\",\"revision\":18"));
	says(r, "{\"type\":\"ack\",\"revision\":18}\n");
	assert_string_equal(events(r), "acked 18|");
	replica_destroy(&r);
}

static void their_settings_are_handed_out_and_answered(void **state)
{
	struct replica *r = opened();

	says(r, "{\"type\":\"settings\",\"revision\":4,\"document\":{\"b\":[]},\"new\":1}\n");
	assert_string_equal(events(r), "settings 4 {\"b\":[]}|");
	replica_answer(r, 4, true, NULL);
	assert_true(we_said(r, "{\"type\":\"ack\",\"revision\":4}\n"));
	assert_int_equal(replica_taken(r), 4);
	says(r, "{\"type\":\"settings\",\"revision\":5,\"document\":{}}\n");
	events(r);
	replica_answer(r, 5, false, "not \xff like this");
	assert_true(we_said(r, "{\"type\":\"nak\",\"revision\":5,\"why\":\"not ? like this\"}\n"));
	assert_int_equal(replica_taken(r), 4);

	says(r, "{\"type\":\"settings\",\"revision\":6,\"document\":{}}\n");
	events(r);
	replica_closed(r);
	replica_answer(r, 6, true, NULL); /* control was slower than the tunnel lived */
	assert_true(we_are_silent(r));
	assert_int_equal(replica_taken(r), 6);
	replica_destroy(&r);
}

static void silence_is_asked_about_and_then_the_end(void **state)
{
	struct replica *r = opened();
	struct replica_clock clock = clock_now;

	clock.now_ms += 5000;
	replica_timeout(r, &clock);
	assert_true(we_said(r, "\"ping\""));
	assert_string_equal(events(r), "timer|");
	clock.now_ms += 5000;
	replica_feed(r, slice_of("{\"type\":\"news\"}\n"), &clock);
	assert_string_equal(events(r), "");
	assert_int_equal(replica_heard_ms(r), clock.now_ms);
	clock.now_ms += 14999;
	replica_timeout(r, &clock);
	assert_string_equal(events(r), "timer|");
	clock.now_ms += 1;
	replica_timeout(r, &clock);
	assert_string_equal(events(r), "closed it said nothing for 15000 ms|");
	replica_destroy(&r);
}

static void clocks_are_compared_in_the_middle_of_a_round_trip(void **state)
{
	struct replica *r = opened();
	struct replica_clock clock = clock_now;
	int64_t ahead;

	assert_false(replica_skew(r, &ahead));
	says(r, "{\"type\":\"pong\",\"ping_ms\":1,\"clock_ms\":5}\n"); /* to none of ours */
	events(r);
	assert_false(replica_skew(r, &ahead));
	clock.now_ms += 200;
	clock.wall_ms += 3600000; /* ours was set meanwhile: the round trip is not changed by it */
	replica_feed(r,
		     slice_of("{\"type\":\"pong\",\"ping_ms\":1800000000000,"
			      "\"clock_ms\":1800000090100}\n"),
		     &clock);
	events(r);
	assert_true(replica_skew(r, &ahead));
	assert_int_equal(ahead, 90000);
	says(r, "{\"type\":\"ping\",\"clock_ms\":12}\n");
	events(r);
	assert_true(we_said(r, "{\"type\":\"pong\",\"ping_ms\":12,\"clock_ms\":1800000000000}\n"));
	replica_destroy(&r);
}

static void only_the_newest_status_counts(void **state)
{
	struct replica *r = opened();
	json_t *status = json_pack("{s:i}", "n", 1);

	replica_report(r, status);
	assert_true(we_said(r, "{\"type\":\"status\",\"document\":{\"n\":1}}\n"));
	json_decref(status);
	says(r, "{\"type\":\"status\",\"document\":{\"n\":2}}\n"
		"{\"type\":\"status\",\"document\":{\"n\":3}}\n");
	assert_string_equal(events(r), "status {\"n\":2}|status {\"n\":3}|");
	assert_int_equal(json_integer_value(json_object_get(replica_other_status(r), "n")), 3);
	replica_closed(r);
	assert_non_null(replica_other_status(r)); /* its age is the driver's to tell */
	replica_open(r, &clock_now);
	says(r, HELLO);
	events(r);
	assert_true(we_said(r, "\"status\"")); /* with each opening */
	replica_destroy(&r);
}

static void a_question_is_heard_and_answered(void **state)
{
	static const char *const words[] = { "doctor", "here" };
	struct replica *r = create();
	json_t *data = json_pack("{s:i}", "findings", 2);

	assert_false(replica_ask(r, 7, words, 2));
	replica_open(r, &clock_now);
	says(r, HELLO);
	events(r);
	assert_true(replica_ask(r, 7, words, 2));
	assert_true(we_said(r, "{\"type\":\"ask\",\"id\":7,\"command\":[\"doctor\",\"here\"]}\n"));
	says(r,
	     "{\"type\":\"answer\",\"id\":7,\"status\":1,\"text\":\"two\",\"data\":{\"n\":2}}\n");
	assert_string_equal(events(r), "answer 7 two {\"n\":2}|");
	says(r, "{\"type\":\"ask\",\"id\":9,\"command\":[\"why\",\"example.net\"]}\n");
	assert_string_equal(events(r), "ask 9 [\"why\",\"example.net\"]|");
	assert_true(replica_reply(r, 9, 0, "fine", data));
	assert_true(we_said(r, "\"text\":\"fine\",\"data\":{\"findings\":2}}\n"));
	json_decref(data);
	replica_destroy(&r);
}

static void what_is_too_long_for_a_line_is_not_sent(void **state)
{
	struct replica *r = opened();
	char *long_text = xmalloc(REPLICA_LINE_BYTES + 1);
	json_t *document;

	memset(long_text, 'x', REPLICA_LINE_BYTES);
	long_text[REPLICA_LINE_BYTES] = '\0';
	document = json_pack("{s:s}", "a", long_text);
	replica_publish(r, 3, document);
	assert_true(we_are_silent(r));
	assert_string_equal(events(r), "naked 3 they are longer than a line may be|");
	replica_report(r, document);
	assert_true(we_said(r, "\"document\":{\"error\":"));
	json_decref(document);
	free(long_text);
	replica_destroy(&r);
}

static void what_breaks_the_rules_closes_the_tunnel(void **state)
{
	static const struct {
		bool after_hello;
		const char *line, *why;
	} rows[] = {
		{ false, "{\"type\":\"ping\",\"clock_ms\":1}\n", "hello is the first line" },
		{ false, "SSH-2.0\n", "a line is not JSON" },
		{ false,
		  "{\"type\":\"hello\",\"protocol\":2,\"node\":\"edge-a\",\"role\":\"edge\"}\n",
		  "it speaks protocol 2, we speak 1" },
		{ false,
		  "{\"type\":\"hello\",\"protocol\":1,\"node\":\"edge-b\",\"role\":\"edge\"}\n",
		  "it says it is edge-b (edge), but is pinned as edge-a (edge)" },
		{ false,
		  "{\"type\":\"hello\",\"protocol\":1,\"node\":\"edge-a\",\"role\":\"home\"}\n",
		  "it says it is edge-a (home)" },
		{ false, "{\"type\":\"hello\",\"protocol\":1}\n", "its hello lacks" },
		{ true, HELLO, "hello is the first line" },
		{ true, "{}\n", "a line has no type" },
		{ true, "[]\n", "a line is not an object" },
		{ true, "{\"type\":\"x\",\"type\":\"y\"}\n", "a line is not JSON" },
		{ true, "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}\n", "nested too deeply" },
		{ true, "{\"type\":\"settings\",\"document\":{}}\n", "its settings lack" },
		{ true, "{\"type\":\"settings\",\"revision\":0,\"document\":{}}\n",
		  "its settings lack" },
		{ true, "{\"type\":\"settings\",\"revision\":1,\"document\":[]}\n",
		  "its settings lack" },
		{ true, "{\"type\":\"ack\"}\n", "its answer lacks" },
		{ true, "{\"type\":\"nak\",\"revision\":-1}\n", "its answer lacks" },
		{ true, "{\"type\":\"status\",\"document\":1}\n", "its status lacks" },
		{ true, "{\"type\":\"ping\",\"clock_ms\":\"1\"}\n", "its ping lacks" },
		{ true, "{\"type\":\"pong\",\"ping_ms\":1}\n", "its pong lacks" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct replica *r = create();
		const char *seen;

		replica_open(r, &clock_now);
		if (rows[i].after_hello)
			says(r, HELLO);
		events(r);
		says(r, rows[i].line);
		says(r, rows[i].line); /* nothing is read behind the end */
		seen = events(r);
		assert_true(strncmp(seen, "closed ", 7) == 0);
		assert_non_null(strstr(seen, rows[i].why));
		assert_string_equal(events(r), "");
		replica_destroy(&r);
	}
}

/* Each costs us many times the bytes of the line. */
static void a_line_has_not_more_values_than_a_status_may_need(void **state)
{
	struct replica *r = opened();
	struct buffer line = { 0 };

	buffer_append_text(&line, "{\"type\":\"status\",\"document\":{\"a\":[[]");
	for (int i = 0; i < 250000; i++)
		buffer_append_text(&line, ",[]");
	buffer_append_text(&line, "]}}\n");
	replica_feed(r, (struct slice){ buffer_data(&line), buffer_len(&line) }, &clock_now);
	assert_string_equal(events(r), "closed a line has too many values|");
	buffer_finish(&line);
	replica_destroy(&r);
}

static void events_do_not_depend_on_how_bytes_arrive(void **state)
{
	static const char bytes[] = HELLO "{\"type\":\"settings\",\"revision\":4,\"document\":{}}\n"
					  "{\"type\":\"status\",\"document\":{}}\nx\n";

	for (size_t piece = 1; piece <= strlen(bytes); piece++) {
		struct replica *r = create();
		char all[512] = "";

		replica_open(r, &clock_now);
		for (size_t at = 0; at < strlen(bytes); at += piece) {
			size_t len = strlen(bytes) - at < piece ? strlen(bytes) - at : piece;

			replica_feed(r, (struct slice){ bytes + at, len }, &clock_now);
			strcat(all, events(r));
		}
		assert_string_equal(all, "timer|ready|settings 4 {}|status {}|"
					 "closed a line is not JSON|");
		replica_destroy(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_sent_until_they_are_acknowledged),
		cmocka_unit_test(who_has_forgotten_our_settings_gets_them_again),
		cmocka_unit_test(a_newer_revision_replaces_one_without_answer),
		cmocka_unit_test(a_refusal_is_told_once_on_each_tunnel),
		cmocka_unit_test(refused_settings_are_sent_again_after_a_minute),
		cmocka_unit_test(their_settings_are_handed_out_and_answered),
		cmocka_unit_test(silence_is_asked_about_and_then_the_end),
		cmocka_unit_test(clocks_are_compared_in_the_middle_of_a_round_trip),
		cmocka_unit_test(only_the_newest_status_counts),
		cmocka_unit_test(a_question_is_heard_and_answered),
		cmocka_unit_test(what_is_too_long_for_a_line_is_not_sent),
		cmocka_unit_test(what_breaks_the_rules_closes_the_tunnel),
		cmocka_unit_test(a_line_has_not_more_values_than_a_status_may_need),
		cmocka_unit_test(events_do_not_depend_on_how_bytes_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
