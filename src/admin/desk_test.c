#include "admin/desk.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT ((struct visitor){ .access = ACCESS_ADMIN, .name = "root", .from = "pid 1" })

/* Desk and watch with both processes that they ask, on one loop. */
struct stage {
	struct loop *loop;
	struct watch *watch;
	struct desk *desk;
	struct process_end {
		struct stage *stage;
		enum process process;
		struct messenger *ours, *theirs;
		unsigned full, brief; /* questions for the status */
	} control, traffic;
	char words[256];  /* that control or manage were given last */
	char answer[512]; /* "STATUS TEXT" */
	unsigned pieces;
	uint64_t number, gone; /* of a trace */
	json_t *data, *document;
};

static void join_words(struct stage *stage, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		snprintf(stage->words + strlen(stage->words),
			 sizeof(stage->words) - strlen(stage->words), "%s%s", i ? "|" : "",
			 words[i]);
}

static void tell_status(struct process_end *end, uint32_t request)
{
	static const struct snapshot_record of_control[] = {
		{ 4, { { "node", 4 }, { "edge-a", 6 }, { "edge", 4 }, { "ab", 2 } } },
		{ 2, { { "revision", 8 }, { "4", 1 } } },
		{ 3, { { "setting", 7 }, { "federation.enabled", 18 }, { "on", 2 } } },
		{ 3, { { "listener", 8 }, { "link", 4 }, { "192.0.2.1:7400", 14 } } },
		{ 3, { { "listener", 8 }, { "s2s", 3 }, { "192.0.2.1:5269", 14 } } },
	};
	struct buffer body = { 0 };

	snapshot_begin(&body, 0, 0);
	for (size_t i = 0; end->process == PROCESS_CONTROL && i < nitems(of_control); i++)
		snapshot_add(&body, &of_control[i]);
	messenger_send(end->theirs, MESSAGE_STATUS_REPLY, request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void tell_done(struct process_end *end, const struct message *message)
{
	struct wire in = wire_read(message->body);
	struct buffer body = { 0 };
	size_t count = wire_get_u16(&in);
	char *words[8] = { 0 };

	assert_true(count <= nitems(words));
	for (size_t i = 0; i < count; i++)
		words[i] = wire_get_text(&in, 100);
	assert_true(wire_is_done(&in));
	join_words(end->stage, (const char *const *)words, count);
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	wire_put_u8(&body, 0);
	wire_put_text(&body, "done");
	messenger_send(end->theirs, MESSAGE_CONFIG_REPLY, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

/* The process hears a question. */
static void on_question(void *arg, struct message *message)
{
	struct process_end *end = arg;

	if (message->type == MESSAGE_STATUS) {
		if (message->body.len)
			end->brief++;
		else
			end->full++;
		tell_status(end, message->request);
	} else {
		tell_done(end, message);
	}
}

/* Manage hears the reply. */
static void on_reply(void *arg, struct message *message)
{
	struct process_end *end = arg;

	desk_take(end->stage->desk, end->process, message);
	watch_take(end->stage->watch, end->process, message);
}

static void on_gone(void *arg)
{
}

static void on_answer(void *arg, uint64_t session, enum reply_status status, struct slice text,
		      json_t *data)
{
	struct stage *stage = arg;

	assert_int_equal(session, 7);
	snprintf(stage->answer, sizeof(stage->answer), "%d %.*s", status, SLICE_ARGS(text));
	json_decref(stage->data);
	stage->data = json_incref(data);
	loop_stop(stage->loop);
}

static void on_piece(void *arg, uint64_t session, struct slice text, json_t *data)
{
	struct stage *stage = arg;

	assert_int_equal(session, 7);
	assert_true(slice_is(text, "a piece"));
	stage->pieces++;
}

static void on_errand(void *arg, const struct errand *errand)
{
	struct stage *stage = arg;

	join_words(stage, (const char *const[]){ errand->visitor->name }, 1);
	for (size_t i = 0; i < errand->count; i++) {
		strcat(stage->words, "|");
		join_words(stage, &errand->words[i], 1);
	}
	desk_answer(stage->desk, errand->number, REPLY_FAILED, "it did not work", NULL);
}

static void on_trace(void *arg, const struct errand *errand)
{
	struct stage *stage = arg;

	stage->number = errand->number;
	desk_tell(stage->desk, errand->number, "a piece", NULL);
}

static void on_trace_gone(void *arg, uint64_t number)
{
	struct stage *stage = arg;

	stage->gone = number;
}

static const struct desk_part parts[] = {
	{ "refresh", on_errand, NULL },
	{ "pair", on_errand, NULL },
	{ "trace", on_trace, on_trace_gone },
	{ NULL, NULL, NULL },
};

static void on_records(void *arg, struct buffer *out)
{
	snapshot_add(out, &(struct snapshot_record){ 4,
						     { slice_of("tunnel"), slice_of("core-a"),
						       slice_of("core"), slice_of("up") } });
}

static json_t *on_others(void *arg)
{
	return json_pack("{s:{s:s}}", "core-a", "role", "core");
}

static void on_report(void *arg, json_t *document)
{
	struct stage *stage = arg;

	json_decref(stage->document);
	stage->document = json_incref(document);
	loop_stop(stage->loop);
}

static void open_end(struct stage *stage, struct process_end *end, enum process process)
{
	static const struct messenger_handler ours = { on_reply, on_gone },
					      theirs = { on_question, on_gone };
	int fds[2];

	*end = (struct process_end){ .stage = stage, .process = process };
	assert_true(channel_pair(fds));
	end->ours = messenger_create(stage->loop, fds[0], PROCESS_MANAGE, process, &ours, end);
	end->theirs = messenger_create(stage->loop, fds[1], process, PROCESS_MANAGE, &theirs, end);
	desk_reach(stage->desk, process, end->ours);
	watch_reach(stage->watch, process, end->ours);
}

static int set_up(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	struct watch_config watch = { .release = "0.1",
				      .records = on_records,
				      .others = on_others,
				      .report = on_report,
				      .arg = stage };
	struct desk_config desk = { 0 };

	watch.loop = desk.loop = stage->loop = loop_create();
	desk.watch = stage->watch = watch_create(&watch);
	stage->desk = desk_create(&desk);
	desk_register(stage->desk, parts, stage);
	open_end(stage, &stage->control, PROCESS_CONTROL);
	open_end(stage, &stage->traffic, PROCESS_TRAFFIC);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	desk_destroy(&stage->desk);
	watch_destroy(&stage->watch);
	messenger_destroy(&stage->control.ours);
	messenger_destroy(&stage->control.theirs);
	messenger_destroy(&stage->traffic.ours);
	messenger_destroy(&stage->traffic.theirs);
	loop_destroy(&stage->loop);
	json_decref(stage->data);
	json_decref(stage->document);
	free(stage);
	return 0;
}

static void ask(struct stage *stage, const struct visitor *visitor, const char **words,
		size_t count)
{
	const struct request request = { .words = words, .count = count };
	const struct desk_asker asker = { on_piece, on_answer, stage, 7 };

	stage->words[0] = stage->answer[0] = '\0';
	desk_ask(stage->desk, &asker, visitor, &request);
	while (!stage->answer[0])
		loop_run(stage->loop);
}

#define ASK(stage, visitor, ...)                                                                   \
	ask(stage, &visitor, (const char *[]){ __VA_ARGS__ },                                      \
	    nitems(((const char *[]){ __VA_ARGS__ })))

static void a_part_is_asked_for_the_verbs_that_it_registered(void **state)
{
	struct stage *stage = *state;
	const struct visitor other = { .access = ACCESS_ADMIN, .name = "uid 12" };

	ASK(stage, ROOT, "home-server", "refresh", "home-a");
	assert_string_equal(stage->words, "root|home-a");
	assert_string_equal(stage->answer, "1 it did not work");
	ASK(stage, other, "pair");
	assert_string_equal(stage->words, "uid 12");
}

static void one_who_goes_is_told_to_the_part_and_not_answered(void **state)
{
	struct stage *stage = *state;
	const struct visitor root = ROOT;
	const struct request request = { .words = (const char *[]){ "trace", "example.net" },
					 .count = 2 };
	const struct desk_asker asker = { on_piece, on_answer, stage, 7 };

	desk_ask(stage->desk, &asker, &root, &request);
	assert_int_equal(stage->pieces, 1);
	desk_leave(stage->desk, stage, 8);
	assert_int_equal(stage->gone, 0);
	desk_leave(stage->desk, stage, 7);
	assert_int_equal(stage->gone, stage->number);
	desk_tell(stage->desk, stage->number, "a piece", NULL);
	desk_answer(stage->desk, stage->number, REPLY_DONE, "", NULL);
	assert_int_equal(stage->pieces, 1);
	assert_string_equal(stage->answer, "");
}

static void another_node_asks_only_what_a_core_may(void **state)
{
	struct stage *stage = *state;
	const struct visitor core = { .access = ACCESS_ADMIN,
				      .is_node = true,
				      .name = "node core-a" };

	ASK(stage, core, "pair");
	assert_string_equal(stage->answer, "1 another node may not ask for that");
	ASK(stage, core, "doctor", "here");
	assert_string_equal(stage->answer, "1 this node does not do that");
}

static void the_longest_command_is_meant(void **state)
{
	struct stage *stage = *state;

	ASK(stage, ROOT, "notifications", "delete", "3");
	assert_string_equal(stage->words, "notification-delete|root|3");
	assert_string_equal(stage->answer, "0 done");
	ASK(stage, ROOT, "notifications");
	assert_string_equal(stage->answer, "0 no notifications\n");
	assert_true(json_is_array(json_object_get(stage->data, "notifications")));
}

static void who_may_only_look_sees_alarms_but_changes_nothing(void **state)
{
	const struct visitor stranger = { .access = ACCESS_VIEW, .name = "uid 12" };
	struct stage *stage = *state;

	ASK(stage, stranger, "alarms");
	assert_string_equal(stage->answer, "0 no alarms\n");
	ASK(stage, stranger, "join", "code");
	assert_string_equal(stage->words, "");
	assert_string_equal(stage->answer,
			    "1 only root, who runs the node, and administrators may do that");
	ASK(stage, stranger, "home-server", "list");
	assert_string_equal(
		stage->answer,
		"1 only root, who runs the node, administrators and operators may do that");
}

static void a_status_has_what_manage_and_the_others_know(void **state)
{
	struct stage *stage = *state;

	ASK(stage, ROOT, "status");
	assert_int_equal(strncmp(stage->answer, "0 edge-a (edge): up", 19), 0);
	assert_int_equal(stage->control.full, 1);
	assert_int_equal(stage->traffic.full, 1);
	assert_int_equal(json_array_size(json_object_get(stage->data, "tunnels")), 1);
	assert_non_null(json_object_get(json_object_get(stage->data, "others"), "core-a"));
	assert_true(json_is_array(json_object_get(stage->data, "alarms")));
}

static void the_watch_asks_in_brief_and_reports_to_other_nodes(void **state)
{
	struct stage *stage = *state;
	json_t *expected = json_pack("{s:s, s:s, s:s, s:i, s:b, s:[s], s:[]}", "node", "edge-a",
				     "role", "edge", "release", "0.1", "revision", 4, "federation",
				     true, "link_listeners", "192.0.2.1:7400", "alarms");

	while (!stage->document)
		loop_run(stage->loop);
	assert_true(json_equal(stage->document, expected));
	assert_int_equal(stage->control.brief, 1);
	assert_int_equal(stage->control.full, 0);
	json_decref(expected);
}

static void a_poke_is_a_look_however_often_it_comes(void **state)
{
	struct stage *stage = *state;
	uint64_t began_ms;

	while (!stage->document)
		loop_run(stage->loop);
	json_decref(stage->document);
	stage->document = NULL;
	began_ms = loop_now_ms(stage->loop);
	for (int i = 0; i < 100; i++)
		watch_poke(stage->watch);
	while (!stage->document)
		loop_run(stage->loop);
	assert_true(loop_now_ms(stage->loop) - began_ms < WATCH_EVERY_MS);
	assert_int_equal(stage->control.brief, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_is_asked_for_the_verbs_that_it_registered),
		TEST(one_who_goes_is_told_to_the_part_and_not_answered),
		TEST(another_node_asks_only_what_a_core_may),
		TEST(the_longest_command_is_meant),
		TEST(who_may_only_look_sees_alarms_but_changes_nothing),
		TEST(a_status_has_what_manage_and_the_others_know),
		TEST(the_watch_asks_in_brief_and_reports_to_other_nodes),
		TEST(a_poke_is_a_look_however_often_it_comes),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
