#include "net/loop.h"

#include "base/alloc.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct loop *loop;
static char order[16];

static void note(char what)
{
	order[strlen(order)] = what;
}

static void task_a(struct loop_task *task)
{
	note('a');
}

static void task_b(struct loop_task *task)
{
	note('b');
}

static struct loop_task first = { .run = task_a }, second = { .run = task_b };
static struct loop_task third = { .run = task_a };

static void on_readable(struct loop_io *io, bool readable, bool writable)
{
	char byte;

	assert_true(readable);
	assert_int_equal(read(io->fd, &byte, 1), 1);
	note(byte);
	loop_defer(loop, &first);
	loop_defer(loop, &second);
	loop_defer(loop, &first);
	loop_defer(loop, &third);
	loop_undefer(loop, &third);
	loop_defer(loop, &third);
	loop_undefer(loop, &third);
}

static void on_timer(struct timer *timer)
{
	note('t');
	loop_stop(loop);
}

static void tasks_run_once_each_at_the_end_of_a_wake_up(void **state)
{
	struct loop_io io = { .ready = on_readable };
	struct timer timer = { .fire = on_timer };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	loop = loop_create();
	io.fd = ends[0];
	loop_watch(loop, &io, true, false);
	loop_arm(loop, &timer, 30);
	loop_run(loop);
	assert_string_equal(order, "xabt");
	loop_unwatch(&io);
	loop_destroy(&loop);
	close(ends[0]);
	close(ends[1]);
}

#define REST_MS 60
#define WAIT_MS 40

static int rest_ends[2];
static struct timer waiter;
static uint64_t armed_us;

/* Called from the sleep's end, before any timer: what it arms counts from now. */
static void arm_after_a_rest(struct loop_io *io, bool readable, bool writable)
{
	char byte;

	assert_int_equal(read(io->fd, &byte, 1), 1);
	armed_us = loop_clock_us();
	loop_arm(loop, &waiter, WAIT_MS);
}

static void *write_after_a_rest(void *arg)
{
	usleep(REST_MS * 1000);
	assert_int_equal(write(rest_ends[1], "w", 1), 1);
	return NULL;
}

static void a_timer_armed_after_a_long_sleep_waits_its_time(void **state)
{
	struct loop_io io = { .ready = arm_after_a_rest };
	pthread_t thread;

	assert_int_equal(pipe(rest_ends), 0);
	loop = loop_create();
	io.fd = rest_ends[0];
	waiter.fire = on_timer;
	loop_watch(loop, &io, true, false);
	assert_int_equal(pthread_create(&thread, NULL, write_after_a_rest, NULL), 0);
	loop_run(loop);
	assert_true(loop_clock_us() - armed_us >= (WAIT_MS - UINT64_C(1)) * 1000);
	pthread_join(thread, NULL);
	loop_unwatch(&io);
	loop_destroy(&loop);
	close(rest_ends[0]);
	close(rest_ends[1]);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void a_signal_is_heard_in_the_loop(void **state)
{
	loop = loop_create();
	loop_on_signal(loop, SIGUSR1, stop, loop);
	raise(SIGUSR1);
	loop_run(loop);
	loop_destroy(&loop);
}

static void stop_soon(struct timer *timer)
{
	loop_stop(loop);
}

static void spin(struct timer *timer)
{
	for (volatile uint64_t i = 0; i < UINT64_MAX; i++)
		;
}

/* How a child ended whose guarded loop does that after 10 ms, and then for 1.5 s nothing. */
static int end_of(timer_fn *what)
{
	struct timer begin = { .fire = what }, end = { .fire = stop_soon };
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		loop = loop_create();
		loop_guard(loop, 1);
		loop_arm(loop, &begin, 10);
		loop_arm(loop, &end, 1500);
		loop_run(loop);
		loop_destroy(&loop);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void do_nothing(struct timer *timer)
{
}

static void a_loop_that_does_not_turn_ends_its_process(void **state)
{
	int status = end_of(spin);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
	assert_int_equal(end_of(do_nothing), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_run_once_each_at_the_end_of_a_wake_up),
		cmocka_unit_test(a_timer_armed_after_a_long_sleep_waits_its_time),
		cmocka_unit_test(a_signal_is_heard_in_the_loop),
		cmocka_unit_test(a_loop_that_does_not_turn_ends_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
