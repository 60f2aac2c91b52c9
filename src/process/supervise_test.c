#include "process/supervise.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

static char folder[] = "/tmp/sallyport-supervise-XXXXXX";

struct stage {
	struct loop *loop;
	struct supervisor *supervisor;
	const char *behaviour[PROCESS_COUNT];
	unsigned generation[PROCESS_COUNT];
	struct buffer lines; /* all that the children told, one after the other */
	struct timer deadline, tick;
	bool stopped, waits_for_ready;
	char ended[96]; /* why the last one with a job did; empty: none has */
	/* what is waited for */
	const char *line;
	int times;
};

static int give_snapshot(void *arg, enum process process)
{
	struct stage *stage = arg;
	struct buffer out = { 0 };
	const char *why;

	snapshot_begin(&out, ++stage->generation[process], 1);
	if (stage->behaviour[process])
		snapshot_add_text(&out, "test.behaviour", stage->behaviour[process]);
	return snapshot_seal(&out, &why);
}

static void on_message(void *arg, enum process from, struct message *message)
{
	struct stage *stage = arg;

	assert_int_equal(message->type, MESSAGE_READY);
	assert_true(supervisor_child(stage->supervisor, from).ready);
	if (stage->waits_for_ready)
		loop_stop(stage->loop);
}

static int times_told(struct stage *stage, const char *line)
{
	char *whole = xasprintf("\n%s\n", line);
	int times = 0;

	if (buffer_len(&stage->lines)) {
		buffer_append(&stage->lines, "", 1);
		for (const char *at = buffer_data(&stage->lines); (at = strstr(at, whole)); at++)
			times++;
		stage->lines.end--;
	}
	free(whole);
	return times;
}

static void on_line(void *arg, struct slice line)
{
	struct stage *stage = arg;

	buffer_append_slice(&stage->lines, line);
	buffer_append_text(&stage->lines, "\n\n");
	if (stage->line && times_told(stage, stage->line) >= stage->times)
		loop_stop(stage->loop);
}

static void on_deadline(struct timer *timer)
{
	fail_msg("what was waited for did not come");
}

/* Looks every 10 ms for what no line tells. */
static void on_tick(struct timer *timer)
{
	struct stage *stage = (void *)((char *)timer - offsetof(struct stage, tick));

	if (supervisor_child(stage->supervisor, PROCESS_CAPTURE).last_end[0])
		loop_stop(stage->loop);
	else
		loop_arm(stage->loop, timer, 10);
}

static void on_done(void *arg)
{
	struct stage *stage = arg;

	assert_false(stage->stopped);
	stage->stopped = true;
	loop_stop(stage->loop);
}

static void on_ended(void *arg, enum process process, const char *why)
{
	struct stage *stage = arg;

	assert_int_equal(process, PROCESS_RESOLVER);
	snprintf(stage->ended, sizeof(stage->ended), "%s", why ? why : "as it wanted");
	loop_stop(stage->loop);
}

static void open_stage(struct stage *stage)
{
	struct supervisor_config config = { .programs = folder,
					    .snapshot = give_snapshot,
					    .message = on_message,
					    .line = on_line,
					    .ended = on_ended,
					    .arg = stage };

	stage->loop = loop_create();
	stage->supervisor = supervisor_create(stage->loop, &config);
	stage->deadline.fire = on_deadline;
	loop_arm(stage->loop, &stage->deadline, DEADLINE_MS);
	buffer_append_text(&stage->lines, "\n");
}

static void wait_for(struct stage *stage, const char *line, int times)
{
	stage->line = line;
	stage->times = times;
	if (times_told(stage, line) < times)
		loop_run(stage->loop);
	stage->line = NULL;
}

static void stop(struct stage *stage, unsigned within_ms)
{
	supervisor_stop(stage->supervisor, within_ms, on_done);
	assert_false(stage->stopped);
	loop_run(stage->loop);
	assert_true(stage->stopped);
}

static void close_stage(struct stage *stage)
{
	supervisor_destroy(&stage->supervisor);
	loop_disarm(stage->loop, &stage->deadline);
	loop_destroy(&stage->loop);
	buffer_finish(&stage->lines);
}

static struct supervisor_child child(const struct stage *stage, enum process process)
{
	return supervisor_child(stage->supervisor, process);
}

static int listening_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void children_get_settings_listeners_and_each_other(void **state)
{
	struct stage stage = { 0 };

	open_stage(&stage);
	supervisor_add_listener(stage.supervisor, PROCESS_TRAFFIC, "s2s", listening_socket());
	supervisor_add_listener(stage.supervisor, PROCESS_TRAFFIC, "link", listening_socket());
	supervisor_add_listener(stage.supervisor, PROCESS_MANAGE, "control", listening_socket());
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	supervisor_start(stage.supervisor, PROCESS_MANAGE);
	supervisor_start(stage.supervisor, PROCESS_RESOLVER);
	wait_for(&stage, "listener s2s", 1);
	wait_for(&stage, "listener link", 1);
	wait_for(&stage, "listener control", 1);
	wait_for(&stage, "peer manage", 2);
	wait_for(&stage, "peer traffic", 2);
	wait_for(&stage, "peer resolver", 2);
	wait_for(&stage, "query hello", 1);
	assert_int_equal(times_told(&stage, "snapshot 1"), 3);
	stop(&stage, 5000);
	assert_int_equal(child(&stage, PROCESS_TRAFFIC).pid, 0);
	assert_int_equal(child(&stage, PROCESS_TRAFFIC).starts, 1);
	close_stage(&stage);
}

static void one_that_dies_is_started_again_and_the_others_get_a_new_channel(void **state)
{
	struct stage stage = { 0 };
	int pid;

	open_stage(&stage);
	supervisor_add_listener(stage.supervisor, PROCESS_TRAFFIC, "s2s", listening_socket());
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	supervisor_start(stage.supervisor, PROCESS_RESOLVER);
	wait_for(&stage, "query hello", 1);
	pid = child(&stage, PROCESS_TRAFFIC).pid;
	kill(pid, SIGKILL);
	wait_for(&stage, "query hello", 2);
	assert_int_equal(times_told(&stage, "listener s2s"), 2);
	assert_int_equal(times_told(&stage, "snapshot 2"), 1);
	assert_int_not_equal(child(&stage, PROCESS_TRAFFIC).pid, pid);
	assert_int_equal(child(&stage, PROCESS_TRAFFIC).starts, 2);
	assert_string_equal(child(&stage, PROCESS_TRAFFIC).last_end, "signal 9 (Killed)");
	assert_int_equal(child(&stage, PROCESS_RESOLVER).starts, 1);

	kill(child(&stage, PROCESS_RESOLVER).pid, SIGKILL);
	wait_for(&stage, "query hello", 3);
	assert_int_equal(child(&stage, PROCESS_RESOLVER).starts, 2);
	assert_int_equal(child(&stage, PROCESS_TRAFFIC).starts, 2);
	stop(&stage, 5000);
	close_stage(&stage);
}

static void one_that_dies_again_and_again_is_started_ever_more_slowly(void **state)
{
	static const struct {
		const char *behaviour, *end;
	} rows[] = { { "exit", "exit status 3" }, { "crash", "signal 6 (Aborted)" } };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct stage stage = { .behaviour[PROCESS_RESOLVER] = rows[i].behaviour };
		uint64_t start_ms = loop_clock_us() / 1000, took_ms;

		open_stage(&stage);
		supervisor_start(stage.supervisor, PROCESS_RESOLVER);
		wait_for(&stage, "snapshot 4", 1);
		took_ms = loop_clock_us() / 1000 - start_ms;
		assert_in_range(took_ms, 100 + 200 + 400, 5000);
		assert_int_equal(child(&stage, PROCESS_RESOLVER).starts, 4);
		assert_string_equal(child(&stage, PROCESS_RESOLVER).last_end, rows[i].end);
		assert_false(child(&stage, PROCESS_RESOLVER).ready);
		stop(&stage, 5000);
		close_stage(&stage);
	}
}

static void a_program_that_is_not_there_is_a_death_like_others(void **state)
{
	struct stage stage = { 0 };

	open_stage(&stage);
	supervisor_start(stage.supervisor, PROCESS_CAPTURE);
	stage.tick.fire = on_tick;
	loop_arm(stage.loop, &stage.tick, 10);
	loop_run(stage.loop);
	assert_string_equal(child(&stage, PROCESS_CAPTURE).last_end, "exit status 127");
	stop(&stage, 5000);
	close_stage(&stage);
}

static void changed_settings_are_handed_over(void **state)
{
	struct stage stage = { 0 };

	open_stage(&stage);
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	wait_for(&stage, "snapshot 1", 1);
	supervisor_settings_changed(stage.supervisor, PROCESS_TRAFFIC);
	wait_for(&stage, "snapshot 2", 1);
	supervisor_settings_changed(stage.supervisor, PROCESS_RESOLVER); /* does not run: nothing */
	assert_int_equal(stage.generation[PROCESS_RESOLVER], 0);
	stop(&stage, 5000);
	close_stage(&stage);
}

static bool run_with_job(struct stage *stage)
{
	struct buffer out = { 0 };
	const char *why;
	struct supervisor_job job = { .type = MESSAGE_SNAPSHOT };
	bool runs;

	snapshot_begin(&out, 77, 1);
	job.fd = snapshot_seal(&out, &why);
	runs = supervisor_run_once(stage->supervisor, PROCESS_RESOLVER, &job);
	close(job.fd);
	return runs;
}

static void one_with_a_job_gets_it_and_is_not_started_again(void **state)
{
	struct stage stage = { 0 };

	open_stage(&stage);
	assert_true(run_with_job(&stage));
	assert_false(run_with_job(&stage)); /* it runs */
	wait_for(&stage, "snapshot 77", 1);
	kill(child(&stage, PROCESS_RESOLVER).pid, SIGKILL);
	loop_run(stage.loop);
	assert_string_equal(stage.ended, "signal 9 (Killed)");
	assert_false(child(&stage, PROCESS_RESOLVER).started);
	assert_int_equal(times_told(&stage, "snapshot 77"), 1);

	assert_true(run_with_job(&stage)); /* another one, later */
	wait_for(&stage, "snapshot 77", 2);
	supervisor_dismiss(stage.supervisor, PROCESS_RESOLVER, 5000);
	loop_run(stage.loop);
	assert_string_equal(stage.ended, "as it wanted");
	stop(&stage, 5000);
	close_stage(&stage);
}

static void one_that_does_not_finish_is_killed(void **state)
{
	struct stage stage = { .behaviour[PROCESS_TRAFFIC] = "stubborn" };
	uint64_t start_ms;

	open_stage(&stage);
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	wait_for(&stage, "snapshot 1", 1);
	start_ms = loop_clock_us() / 1000;
	stop(&stage, 200);
	assert_in_range(loop_clock_us() / 1000 - start_ms, 200, 5000);
	close_stage(&stage);
}

static void stopping_before_anything_ran_is_done_at_once(void **state)
{
	struct stage stage = { 0 };

	open_stage(&stage);
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	stop(&stage, 5000);
	assert_int_equal(child(&stage, PROCESS_TRAFFIC).starts, 0);
	close_stage(&stage);
}

/* A reader that is slow loses lines, but the child goes on and what comes is whole. */
static void a_child_that_says_much_is_not_held_up(void **state)
{
	struct stage stage = { .behaviour[PROCESS_TRAFFIC] = "chatter" };

	open_stage(&stage);
	supervisor_start(stage.supervisor, PROCESS_TRAFFIC);
	/* All that it said and the pipe took is there before READY is; then the pipe is empty. */
	stage.waits_for_ready = true;
	loop_run(stage.loop);
	assert_int_equal(times_told(&stage, "line 0"), 1);
	supervisor_settings_changed(stage.supervisor, PROCESS_TRAFFIC);
	wait_for(&stage, "snapshot 2", 1);
	stop(&stage, 5000);
	close_stage(&stage);
}

static int link_programs(void **state)
{
	static const enum process programs[] = { PROCESS_TRAFFIC, PROCESS_MANAGE,
						 PROCESS_RESOLVER };
	const char *child = getenv("SUPERVISE_TEST_CHILD");

	if (!child || !mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < nitems(programs); i++) {
		char *name = xasprintf("%s/%s", folder, process_program(programs[i]));

		if (symlink(child, name) < 0)
			return -1;
		free(name);
	}
	return 0;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int remove_programs(void **state)
{
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_get_settings_listeners_and_each_other),
		cmocka_unit_test(one_that_dies_is_started_again_and_the_others_get_a_new_channel),
		cmocka_unit_test(one_that_dies_again_and_again_is_started_ever_more_slowly),
		cmocka_unit_test(a_program_that_is_not_there_is_a_death_like_others),
		cmocka_unit_test(changed_settings_are_handed_over),
		cmocka_unit_test(one_with_a_job_gets_it_and_is_not_started_again),
		cmocka_unit_test(one_that_does_not_finish_is_killed),
		cmocka_unit_test(stopping_before_anything_ran_is_done_at_once),
		cmocka_unit_test(a_child_that_says_much_is_not_held_up),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, link_programs, remove_programs);
}
