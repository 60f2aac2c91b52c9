#include "process/log_feed.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct stage {
	struct loop *loop;
	struct log_feed *feed;
	bool ready, refuses;
	unsigned batches;
	size_t longest;
	uint64_t first;	    /* number of the last batch's first line */
	struct buffer told; /* all lines */
	struct buffer logged;
} stage;

static bool is_ready(void *arg)
{
	return stage.ready;
}

static bool take(void *arg, struct slice body)
{
	struct wire in = wire_read(body);

	if (stage.refuses)
		return false;
	stage.batches++;
	stage.first = wire_get_u64(&in);
	buffer_append_slice(&stage.told, in.left);
	if (body.len > stage.longest)
		stage.longest = body.len;
	return true;
}

/* What the feed itself logs comes back to it, as in control. */
static bool hear(void *arg, struct slice line)
{
	buffer_append_slice(&stage.logged, line);
	log_feed_add(stage.feed, line);
	return true;
}

static int create(void **state)
{
	stage = (struct stage){ .loop = loop_create(), .ready = true };
	stage.feed = log_feed_create(1000);
	log_feed_serve(stage.feed, &(struct log_feed_config){ stage.loop, is_ready, take, NULL });
	log_divert(hear, NULL);
	return 0;
}

static int destroy(void **state)
{
	log_divert(NULL, NULL);
	log_feed_destroy(&stage.feed);
	loop_destroy(&stage.loop);
	buffer_finish(&stage.told);
	buffer_finish(&stage.logged);
	return 0;
}

static void add(const char *line)
{
	log_feed_add(stage.feed, slice_of(line));
}

static void on_time(struct timer *timer)
{
	loop_stop(stage.loop);
}

static void turn(void)
{
	struct timer timer = { .fire = on_time };

	loop_arm(stage.loop, &timer, (uint64_t)LOG_FEED_TICK_MS * 3);
	loop_run(stage.loop);
}

static void was_told(const char *lines)
{
	char *told = buffer_take_text(&stage.told);

	assert_string_equal(told, lines);
	free(told);
}

static void lines_go_on_together_and_once(void **state)
{
	add("one");
	add("two");
	turn();
	assert_int_equal(stage.batches, 1);
	assert_int_equal(stage.first, 1);
	was_told("one\ntwo\n");
	add("three");
	turn();
	assert_int_equal(stage.first, 3);
	was_told("three\n");
}

static void who_starts_again_is_told_all(void **state)
{
	add("one");
	turn();
	log_feed_start(stage.feed);
	turn();
	was_told("one\none\n");
	assert_int_equal(stage.first, 1);
}

static void who_does_not_read_is_not_sent_more(void **state)
{
	stage.ready = false;
	add("one");
	turn();
	assert_int_equal(stage.batches, 0);
	stage.ready = true;
	stage.refuses = true;
	turn();
	stage.refuses = false;
	turn();
	was_told("one\n");
}

static void what_was_lost_meanwhile_is_counted_and_said_once(void **state)
{
	char *logged;

	stage.ready = false;
	for (int i = 0; i < 1007; i++)
		add("x");
	turn();
	stage.ready = true;
	turn();
	logged = buffer_take_text(&stage.logged);
	assert_non_null(
		strstr(logged, "CodeLocation=\"log.dropped\" Detail=\"lines=7 reader=manage\""));
	assert_null(strstr(strstr(logged, "log.dropped") + 1, "log.dropped"));
	free(logged);
	assert_int_equal(stage.first, 1008); /* that line itself, and no line about it */
	turn();
	assert_int_equal(stage.first, 1008);
}

static void a_batch_is_bounded(void **state)
{
	char line[4096];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 200; i++)
		add(line);
	turn();
	assert_int_equal(buffer_len(&stage.told), 200 * 4096);
	assert_true(stage.batches > 2);
	assert_true(stage.longest <= LOG_FEED_BATCH_BYTES + sizeof(line) + 8);
}

static void lines_before_there_is_a_loop_are_not_lost(void **state)
{
	log_feed_serve(stage.feed, NULL);
	add("early");
	log_feed_serve(stage.feed, &(struct log_feed_config){ stage.loop, is_ready, take, NULL });
	log_feed_start(stage.feed);
	turn();
	was_told("early\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_go_on_together_and_once),
		TEST(who_starts_again_is_told_all),
		TEST(who_does_not_read_is_not_sent_more),
		TEST(what_was_lost_meanwhile_is_counted_and_said_once),
		TEST(a_batch_is_bounded),
		TEST(lines_before_there_is_a_loop_are_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
