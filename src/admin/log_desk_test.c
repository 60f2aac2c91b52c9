#include "admin/log_desk.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/log_escape.h"
#include "ipc/wire.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Who asks is session 1, 2, 3 ... of the stage. */
#define ASKERS 12

static struct stage {
	struct loop *loop;
	struct desk *desk;
	struct event_log *log;
	struct log_desk *log_desk;
	struct messenger *ours, *theirs; /* ends of the channel to traffic */
	char watches[512];		 /* "TARGET SECONDS|" as traffic was told */
	uint8_t refuses;		 /* what it answers */
	char told[ASKERS][4096];	 /* pieces, one behind the other */
	json_t *last[ASKERS];		 /* the data of the last one */
	char answers[ASKERS][4096];	 /* "STATUS TEXT" */
	uint64_t lines;
} stage;

static void on_piece(void *arg, uint64_t session, struct slice text, json_t *data)
{
	char *told = stage.told[session];

	snprintf(told + strlen(told), sizeof(stage.told[0]) - strlen(told), "[%.*s]",
		 SLICE_ARGS(text));
	json_decref(stage.last[session]);
	stage.last[session] = json_incref(data);
}

static void on_answer(void *arg, uint64_t session, enum reply_status status, struct slice text,
		      json_t *data)
{
	snprintf(stage.answers[session], sizeof(stage.answers[0]), "%d %.*s", status,
		 SLICE_ARGS(text));
	json_decref(stage.last[session]);
	stage.last[session] = json_incref(data);
}

static void on_question(void *arg, struct message *message)
{
	struct wire in = wire_read(message->body);
	struct buffer body = { 0 };
	struct slice words[4];

	assert_int_equal(message->type, MESSAGE_COMMAND);
	assert_int_equal(wire_get_u16(&in), 4);
	for (size_t i = 0; i < nitems(words); i++)
		words[i] = wire_get_slice(&in);
	assert_true(wire_is_done(&in));
	assert_true(slice_is(words[0], "watch"));
	assert_true(slice_is(words[1], "root"));
	snprintf(stage.watches + strlen(stage.watches),
		 sizeof(stage.watches) - strlen(stage.watches), "%.*s %.*s|", SLICE_ARGS(words[2]),
		 SLICE_ARGS(words[3]));
	wire_put_u8(&body, stage.refuses);
	wire_put_text(&body, stage.refuses ? "no such stream" : "");
	messenger_send(stage.theirs, MESSAGE_COMMAND_REPLY, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void on_reply(void *arg, struct message *message)
{
	log_desk_take(stage.log_desk, message);
}

static void on_gone(void *arg)
{
}

static const struct messenger_handler ours = { on_reply, on_gone },
				      theirs = { on_question, on_gone };

static void reach(void)
{
	int ends[2];

	assert_true(channel_pair(ends));
	stage.ours =
		messenger_create(stage.loop, ends[0], PROCESS_MANAGE, PROCESS_TRAFFIC, &ours, NULL);
	stage.theirs = messenger_create(stage.loop, ends[1], PROCESS_TRAFFIC, PROCESS_MANAGE,
					&theirs, NULL);
	log_desk_reach(stage.log_desk, stage.ours);
}

static void lose(void)
{
	log_desk_reach(stage.log_desk, NULL);
	messenger_destroy(&stage.ours);
	messenger_destroy(&stage.theirs);
}

static int create(void **state)
{
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	stage = (struct stage){ .loop = loop_create() };
	stage.desk = desk_create(&(struct desk_config){ stage.loop, NULL });
	stage.log = event_log_create(100);
	stage.log_desk =
		log_desk_create(&(struct log_desk_config){ stage.loop, stage.desk, stage.log });
	reach();
	return 0;
}

static int destroy(void **state)
{
	lose();
	log_desk_destroy(&stage.log_desk);
	event_log_destroy(&stage.log);
	desk_destroy(&stage.desk);
	loop_destroy(&stage.loop);
	for (size_t i = 0; i < ASKERS; i++)
		json_decref(stage.last[i]);
	return 0;
}

static void on_time(struct timer *timer)
{
	loop_stop(stage.loop);
}

/* Lets messages go there and back. */
static void turn(unsigned ms)
{
	struct timer timer = { .fire = on_time };

	loop_arm(stage.loop, &timer, ms);
	loop_run(stage.loop);
}

static struct visitor visitor = { .access = ACCESS_ADMIN, .name = "root", .from = "pid 1" };

static void ask(uint64_t session, bool json, const char *const *words, size_t count)
{
	const struct desk_asker asker = { on_piece, on_answer, NULL, session };
	const struct request request = { NULL, (const char **)(uintptr_t)words, count, json };

	desk_ask(stage.desk, &asker, &visitor, &request);
}

#define ASK(session, json, ...)                                                                    \
	ask(session, json, (const char *const[]){ __VA_ARGS__ },                                   \
	    nitems(((const char *const[]){ __VA_ARGS__ })))

#define HEAD "2026-11-24T12:00:00.123456+00:00 edge-a sallyport-traffic[1]: "
#define LINE(detail) HEAD "Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" Detail=\"" detail "\""

static void log_line(const char *line)
{
	struct buffer body = { 0 };

	wire_put_u64(&body, ++stage.lines);
	buffer_printf(&body, "%s\n", line);
	assert_true(
		event_log_take(stage.log, (struct slice){ buffer_data(&body), buffer_len(&body) }));
	buffer_finish(&body);
}

static void log_shows_the_last_lines(void **state)
{
	log_line(LINE("domain=a.example"));
	log_line(LINE("domain=b.example"));
	ASK(1, false, "log");
	assert_string_equal(stage.answers[1],
			    "0 " LINE("domain=a.example") "\n" LINE("domain=b.example") "\n");
	ASK(1, false, "log", "last=1");
	assert_string_equal(stage.answers[1], "0 " LINE("domain=b.example") "\n");
	ASK(1, false, "log", "domain=a.example", "level=info", "last=5");
	assert_string_equal(stage.answers[1], "0 " LINE("domain=a.example") "\n");
	ASK(1, true, "log", "text=b.ex");
	assert_string_equal(stage.answers[1], "0 ");
	assert_int_equal(json_array_size(json_object_get(stage.last[1], "events")), 1);
}

/* What people write is for administrators, and in no trace. */
static void whole_stanzas_are_for_administrators(void **state)
{
	static const char stanza[] = HEAD "Module=\"m\" Level=\"INFO\" "
					  "CodeLocation=\"stanza.logged\" "
					  "Detail=\"from=x@a.example stanza=private\"";

	log_line(LINE("domain=a.example"));
	log_line(stanza);
	ASK(1, false, "log");
	assert_non_null(strstr(stage.answers[1], "private"));
	ASK(1, false, "log", "--follow", "last=0");
	ASK(2, false, "trace", "a.example");
	visitor.access = ACCESS_OPERATE;
	ASK(3, false, "log");
	assert_string_equal(stage.answers[3], "0 " LINE("domain=a.example") "\n");
	ASK(4, true, "log", "text=private");
	assert_int_equal(json_array_size(json_object_get(stage.last[4], "events")), 0);
	ASK(5, false, "log", "--follow");
	visitor.access = ACCESS_ADMIN;
	log_line(stanza);
	log_line(LINE("domain=a.example"));
	assert_non_null(strstr(stage.told[1], "private"));
	for (int i = 2; i <= 5; i++)
		assert_null(strstr(stage.told[i], "private"));
	assert_non_null(strstr(stage.told[2], LINE("domain=a.example")));
	assert_non_null(strstr(stage.told[5], LINE("domain=a.example")));
}

static void what_it_does_not_understand_it_says(void **state)
{
	static const char *const wrong[][2] = {
		{ "last=ten", "2 last=ten: not a number of lines, 10000 at most" },
		{ "last=10001", "2 last=10001: not a number of lines, 10000 at most" },
		{ "colour=red", "2 colour=red: no such key" },
		{ "example.net", "2 example.net: not KEY=VALUE" },
		{ "level=loud", "2 level=loud: not error, warn, info or debug" },
	};

	for (size_t i = 0; i < nitems(wrong); i++) {
		ASK(1, false, "log", wrong[i][0]);
		assert_string_equal(stage.answers[1], wrong[i][1]);
	}
	ASK(1, false, "trace", "example.net", "for=0");
	assert_string_equal(stage.answers[1], "2 not for=SECONDS, from 1 to 86400");
	ASK(1, false, "trace", "example.net", "for=86401");
	assert_string_equal(stage.answers[1], "2 not for=SECONDS, from 1 to 86400");
}

static void follow_goes_on_until_who_asked_goes(void **state)
{
	log_line(LINE("domain=a.example"));
	ASK(1, false, "log", "--follow", "domain=a.example");
	assert_string_equal(stage.told[1], "[" LINE("domain=a.example") "\n]");
	log_line(LINE("domain=b.example"));
	log_line(LINE("domain=a.example n=2"));
	assert_string_equal(stage.told[1],
			    "[" LINE("domain=a.example") "\n]"
							 "[" LINE("domain=a.example n=2") "]");
	desk_leave(stage.desk, NULL, 1);
	stage.told[1][0] = '\0';
	log_line(LINE("domain=a.example"));
	assert_string_equal(stage.told[1], "");
	assert_string_equal(stage.answers[1], "");
}

static void follow_tells_events_as_data_where_that_is_wanted(void **state)
{
	log_line(LINE("domain=a.example"));
	ASK(1, true, "log", "--follow");
	assert_string_equal(stage.told[1], "[][]");
	assert_int_equal(json_integer_value(json_object_get(stage.last[1], "seq")), 1);
	log_line(LINE("xcoder=123456789"));
	assert_string_equal(json_string_value(json_object_get(stage.last[1], "xcoder")),
			    "123456789");
}

/* SEC-24: what a peer chose, from the line that tells of it to who follows. */
static bool forward(void *arg, struct slice line)
{
	char *text = xstrndup(line.data, line.len);

	log_line(text);
	free(text);
	return true;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	log_divert(forward, NULL);
	va_start(args, format);
	log_write("XMPPFederation", LOG_LEVEL_WARN, "s2s.in.failed", format, args);
	va_end(args);
	log_divert(NULL, NULL);
}

static void a_strangers_bytes_stay_bytes_on_the_way_to_who_follows(void **state)
{
	ASK(1, false, "log", "--follow");
	ASK(2, true, "log", "--follow");
	ASK(3, false, "log", "--follow", "domain=bank.example");
	say("xcoder=34A9B60C8 peer=b.example why=\"%s\"",
	    "\" peer=bank.example\n2026-11-24T12:00:00.123456+00:00 edge-a sallyportd[1]: "
	    "\033]0;owned\007\033[2J\302\233\342\200\256\377");
	assert_true(log_is_safe(slice_of(stage.told[1])));
	assert_non_null(strstr(stage.told[1], "\\u001b]0;owned"));
	assert_null(strchr(stage.told[1], '\n'));
	assert_true(
		log_is_safe(slice_of(json_string_value(json_object_get(stage.last[2], "detail")))));
	assert_int_equal(json_array_size(json_object_get(stage.last[2], "domains")), 1);
	assert_string_equal(stage.told[3], "[]");
}

static void a_trace_has_traffic_watch_and_shows_the_domain_and_its_streams(void **state)
{
	ASK(1, false, "trace", "b.example", "for=60");
	turn(20);
	assert_string_equal(stage.watches, "b.example 60|");
	stage.told[1][0] = '\0';
	log_line(LINE("xcoder=000000001 domain=c.example"));
	log_line(LINE("xcoder=34A9B60C8 peer=b.example"));
	log_line(LINE("xcoder=34A9B60C8 sending:: <x/>"));
	log_line(LINE("xcoder=000000001 more"));
	assert_string_equal(
		stage.told[1],
		"[" LINE("xcoder=34A9B60C8 peer=b.example") "]"
							    "[" LINE("xcoder=34A9B60C8 sending:: "
								     "<x/>") "]");
	desk_leave(stage.desk, NULL, 1);
	turn(20);
	assert_string_equal(stage.watches, "b.example 60|b.example 0|");
}

static void a_domain_is_found_however_it_is_written(void **state)
{
	ASK(1, false, "trace",
	    "B\xc3\xbc"
	    "cher.Example.",
	    "for=60");
	ASK(2, false, "log", "--follow", "last=0",
	    "domain=b\xc3\xbc"
	    "cher.example");
	turn(20);
	assert_string_equal(stage.watches, "xn--bcher-kva.example 60|");
	stage.told[1][0] = stage.told[2][0] = '\0';
	log_line(LINE("xcoder=34A9B60C8 peer=xn--bcher-kva.example"));
	assert_string_equal(stage.told[1],
			    "[" LINE("xcoder=34A9B60C8 peer=xn--bcher-kva.example") "]");
	assert_string_equal(stage.told[2], stage.told[1]);
}

static void a_trace_of_a_stream_shows_that_alone(void **state)
{
	ASK(1, false, "trace", "34a9b60c8");
	turn(20);
	assert_string_equal(stage.watches, "34A9B60C8 300|"); /* as traffic calls it */
	stage.told[1][0] = '\0';
	log_line(LINE("xcoder=34A9B60C8 peer=b.example"));
	log_line(LINE("xcoder=34A9B60C9 peer=b.example"));
	assert_string_equal(stage.told[1], "[" LINE("xcoder=34A9B60C8 peer=b.example") "]");
}

static void a_trace_ends_when_its_time_is_over(void **state)
{
	ASK(1, false, "trace", "b.example", "for=1");
	turn(1200);
	assert_string_equal(stage.answers[1], "0 the trace ends here: its time is over");
	turn(20);
	assert_string_equal(stage.watches, "b.example 1|b.example 0|");
}

static void who_goes_does_not_end_the_trace_of_another(void **state)
{
	ASK(1, false, "trace", "b.example", "for=1000");
	ASK(2, false, "trace", "B.example", "for=60");
	turn(20);
	desk_leave(stage.desk, NULL, 1);
	turn(20);
	assert_string_equal(stage.watches, "b.example 1000|b.example 1000|b.example 60|");
}

static void what_traffic_refuses_is_said(void **state)
{
	stage.refuses = 1;
	ASK(1, false, "trace", "34A9B60C8");
	turn(20);
	assert_string_equal(stage.answers[1], "1 no such stream");
}

static void a_trace_outlives_traffic(void **state)
{
	ASK(1, false, "trace", "b.example", "for=60");
	turn(20);
	lose();
	turn(20);
	reach();
	turn(20);
	assert_string_equal(stage.answers[1], "");
	assert_string_equal(stage.watches, "b.example 60|b.example 60|");
}

static void a_trace_begins_without_traffic_and_says_so(void **state)
{
	lose();
	ASK(1, false, "trace", "b.example");
	turn(20);
	assert_string_equal(stage.answers[1], "");
	assert_non_null(strstr(stage.told[1], "traffic is not running"));
	reach();
	turn(20);
	assert_string_equal(stage.watches, "b.example 300|");
}

static void traces_are_bounded(void **state)
{
	for (uint64_t i = 0; i < LOG_DESK_TRACES_MAX; i++) {
		ASK(i, false, "trace", "b.example");
		assert_string_equal(stage.answers[i], "");
	}
	ASK(9, false, "trace", "b.example");
	assert_string_equal(stage.answers[9], "1 8 traces run already: end one of them");
	ASK(10, false, "log", "--follow");
	assert_string_equal(stage.answers[10], "");
}

static void all_are_answered_when_the_node_stops(void **state)
{
	ASK(1, false, "trace", "b.example");
	ASK(2, false, "log", "--follow");
	ASK(3, true, "log", "--follow");
	log_desk_finish(stage.log_desk);
	turn(20);
	assert_string_equal(stage.answers[1], "0 the node stops");
	assert_string_equal(stage.answers[2], "0 the node stops");
	assert_string_equal(stage.answers[3], "0 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_stanzas_are_for_administrators),
		TEST(log_shows_the_last_lines),
		TEST(what_it_does_not_understand_it_says),
		TEST(follow_goes_on_until_who_asked_goes),
		TEST(follow_tells_events_as_data_where_that_is_wanted),
		TEST(a_strangers_bytes_stay_bytes_on_the_way_to_who_follows),
		TEST(a_trace_has_traffic_watch_and_shows_the_domain_and_its_streams),
		TEST(a_domain_is_found_however_it_is_written),
		TEST(a_trace_of_a_stream_shows_that_alone),
		TEST(a_trace_ends_when_its_time_is_over),
		TEST(who_goes_does_not_end_the_trace_of_another),
		TEST(what_traffic_refuses_is_said),
		TEST(a_trace_outlives_traffic),
		TEST(a_trace_begins_without_traffic_and_says_so),
		TEST(traces_are_bounded),
		TEST(all_are_answered_when_the_node_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
