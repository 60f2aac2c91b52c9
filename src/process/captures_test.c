#include "process/captures.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sallyport-captures-XXXXXX";

struct stage {
	struct loop *loop;
	struct supervisor *supervisor;
	struct captures *captures;
	struct timer deadline;
	char told[200]; /* "NAME WHY" of the last answer; "NAME" if there was no why */
};

static int give_snapshot(void *arg, enum process process)
{
	struct buffer out = { 0 };
	const char *why;

	snapshot_begin(&out, 1, 1);
	return snapshot_seal(&out, &why);
}

static void on_message(void *arg, enum process from, struct message *message)
{
	if (message->type == MESSAGE_CAPTURE_STATE)
		captures_take(((struct stage *)arg)->captures, message->body);
}

static void on_ended(void *arg, enum process process, const char *why)
{
	captures_ended(((struct stage *)arg)->captures, why);
}

static void on_deadline(struct timer *timer)
{
	fail_msg("no answer");
}

static void on_told(void *arg, uint32_t request, const char *name, const char *why)
{
	struct stage *stage = arg;

	assert_int_equal(request, 7);
	snprintf(stage->told, sizeof(stage->told), "%s%s%s", name, why ? " " : "", why ? why : "");
	loop_stop(stage->loop);
}

static void pass_over(void *arg, uint32_t request, const char *name, const char *why)
{
}

static void open_stage(struct stage *stage)
{
	const struct supervisor_config config = { .programs = folder,
						  .snapshot = give_snapshot,
						  .message = on_message,
						  .ended = on_ended,
						  .arg = stage };

	*stage = (struct stage){ .loop = loop_create(), .deadline.fire = on_deadline };
	loop_arm(stage->loop, &stage->deadline, 20000);
	stage->supervisor = supervisor_create(stage->loop, &config);
	stage->captures = captures_create(stage->loop, stage->supervisor);
}

static void close_stage(struct stage *stage)
{
	supervisor_destroy(&stage->supervisor);
	captures_destroy(&stage->captures);
	loop_disarm(stage->loop, &stage->deadline);
	loop_destroy(&stage->loop);
}

static void begin(struct stage *stage, const char *name, const char *how, captures_fn *told)
{
	struct capture_order order = { .name = name,
				       .author = "root",
				       .job = { .snap = 100, .seconds = 60 } };

	snprintf(order.job.interface, sizeof(order.job.interface), "%s", how);
	captures_start(stage->captures, &order, told, stage, 7);
}

static const char *started(struct stage *stage, const char *name, const char *how)
{
	stage->told[0] = '\0';
	begin(stage, name, how, on_told);
	if (!stage->told[0])
		loop_run(stage->loop);
	return stage->told;
}

static const char *stopped(struct stage *stage)
{
	stage->told[0] = '\0';
	captures_stop(stage->captures, on_told, stage, 7);
	if (!stage->told[0])
		loop_run(stage->loop);
	return stage->told;
}

/* What can be read of it, or why nothing can. */
static char *content(struct stage *stage, const char *name)
{
	struct buffer out = { 0 };
	uint64_t size;
	char *why = NULL;

	if (!captures_read(stage->captures, name, 0, &out, &size, &why))
		return why;
	assert_int_equal(size, buffer_len(&out));
	return buffer_take_text(&out);
}

static void is_content(struct stage *stage, const char *name, const char *wanted)
{
	char *text = content(stage, name);

	if (!strstr(text, wanted))
		fail_msg("%s: %s", name, text);
	free(text);
}

static void what_was_captured_is_kept_and_read(void **state)
{
	struct stage stage;

	open_stage(&stage);
	assert_string_equal(started(&stage, "one", "whole"), "one");
	assert_string_equal(captures_running(stage.captures), "one");
	is_content(&stage, "one", "still runs");
	assert_string_equal(stopped(&stage), "one");
	assert_null(captures_running(stage.captures));
	is_content(&stage, "one", "captured");
	is_content(&stage, "two", "no capture of that name");
	close_stage(&stage);
}

static void one_runs_at_a_time(void **state)
{
	struct stage stage;

	open_stage(&stage);
	assert_string_equal(stopped(&stage), " no capture runs");
	started(&stage, "one", "whole");
	assert_non_null(strstr(started(&stage, "two", "whole"), "runs already: one"));
	stopped(&stage);
	assert_string_equal(started(&stage, "two", "whole"), "two");
	close_stage(&stage);
}

static void one_of_the_same_name_replaces_what_runs(void **state)
{
	struct stage stage;

	open_stage(&stage);
	started(&stage, "one", "short");
	assert_string_equal(started(&stage, "one", "whole"), "one");
	assert_string_equal(stopped(&stage), "one");
	is_content(&stage, "one", "captured");
	close_stage(&stage);
}

static void one_is_replaced_before_its_process_is_there(void **state)
{
	struct stage stage;

	open_stage(&stage);
	loop_arm(stage.loop, &stage.deadline, 5000); /* the first would run on for longer */
	begin(&stage, "one", "short", pass_over);
	assert_string_equal(started(&stage, "one", "whole"), "one");
	assert_string_equal(stopped(&stage), "one");
	is_content(&stage, "one", "captured");
	close_stage(&stage);
}

static void how_it_fails_is_told(void **state)
{
	static const struct {
		const char *how, *at_start, *at_stop, *content;
	} rows[] = {
		{ "refuses", "x no such interface", NULL, "no capture of that name" },
		{ "dies", "x", NULL, "brought nothing: signal 6" },
		{ "babbles", "x its process ended without a word", NULL,
		  "no capture of that name" },
		{ "short", "x", "x its file is not whole", "brought nothing: its file" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct stage stage;

		open_stage(&stage);
		assert_string_equal(started(&stage, "x", rows[i].how), rows[i].at_start);
		if (rows[i].at_stop)
			assert_string_equal(stopped(&stage), rows[i].at_stop);
		else if (captures_running(stage.captures)) {
			captures_stop(stage.captures, on_told, &stage, 7);
			loop_run(stage.loop);
		}
		is_content(&stage, "x", rows[i].content);
		close_stage(&stage);
	}
}

static void why_one_that_is_over_brought_nothing_is_known(void **state)
{
	struct stage stage;

	open_stage(&stage);
	started(&stage, "whole", "whole");
	assert_null(captures_loss(stage.captures, "whole"));
	stopped(&stage);
	started(&stage, "torn", "short");
	stopped(&stage);
	assert_null(captures_loss(stage.captures, "whole"));
	assert_string_equal(captures_loss(stage.captures, "torn"), "its file is not whole");
	assert_null(captures_loss(stage.captures, "another"));
	close_stage(&stage);
}

static void the_oldest_makes_room(void **state)
{
	struct stage stage;

	open_stage(&stage);
	for (char name[] = "a"; name[0] < 'a' + CAPTURES_KEPT + 1; name[0]++) {
		started(&stage, name, "whole");
		stopped(&stage);
	}
	is_content(&stage, "a", "no capture of that name");
	is_content(&stage, "b", "captured");
	captures_forget(stage.captures, "b");
	is_content(&stage, "b", "no capture of that name");
	close_stage(&stage);
}

static void one_that_never_began_pushes_nothing_out(void **state)
{
	struct stage stage;

	open_stage(&stage);
	started(&stage, "one", "whole");
	stopped(&stage);
	for (int i = 0; i <= CAPTURES_KEPT; i++)
		started(&stage, "one", "refuses");
	is_content(&stage, "one", "captured");
	close_stage(&stage);
}

/* Whoever waits for it when the node stops is not answered, and nothing is left behind. */
static void one_that_runs_ends_with_the_node(void **state)
{
	struct stage stage;

	open_stage(&stage);
	begin(&stage, "one", "whole", pass_over);
	begin(&stage, "one", "whole", pass_over);
	close_stage(&stage);
}

static void names_are_names_of_files(void **state)
{
	assert_true(capture_name_is_good("axl_inject-1.b"));
	assert_false(capture_name_is_good(""));
	assert_false(capture_name_is_good(".hidden"));
	assert_false(capture_name_is_good("a/b"));
	assert_false(capture_name_is_good("a b"));
}

static int link_program(void **state)
{
	const char *child = getenv("CAPTURES_TEST_CHILD");
	char *name;
	int linked;

	if (!child || !mkdtemp(folder))
		return -1;
	name = xasprintf("%s/sallyport-capture", folder);
	linked = symlink(child, name);
	free(name);
	return linked;
}

static int remove_program(void **state)
{
	char *name = xasprintf("%s/sallyport-capture", folder);

	unlink(name);
	free(name);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_captured_is_kept_and_read),
		cmocka_unit_test(one_runs_at_a_time),
		cmocka_unit_test(one_of_the_same_name_replaces_what_runs),
		cmocka_unit_test(one_is_replaced_before_its_process_is_there),
		cmocka_unit_test(how_it_fails_is_told),
		cmocka_unit_test(why_one_that_is_over_brought_nothing_is_known),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(one_that_never_began_pushes_nothing_out),
		cmocka_unit_test(one_that_runs_ends_with_the_node),
		cmocka_unit_test(names_are_names_of_files),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, link_program, remove_program);
}
