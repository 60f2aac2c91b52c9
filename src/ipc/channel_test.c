#include "ipc/channel.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_BODY ((struct slice){ 0 })

struct pair {
	struct channel *traffic, *resolver;
};

static struct pair open_pair(void)
{
	struct pair pair;
	int fds[2];

	assert_true(channel_pair(fds));
	pair.traffic = channel_create(fds[0], PROCESS_TRAFFIC, PROCESS_RESOLVER);
	pair.resolver = channel_create(fds[1], PROCESS_RESOLVER, PROCESS_TRAFFIC);
	return pair;
}

static void close_pair(struct pair *pair)
{
	channel_destroy(&pair->traffic);
	channel_destroy(&pair->resolver);
}

static void messages_arrive_whole_and_in_order(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, 65528, 65529, 1000000 };
	struct pair pair = open_pair();
	struct message message;

	for (size_t i = 0; i < nitems(sizes); i++) {
		char *bytes = xmalloc(sizes[i] + 1);

		memset(bytes, 'a' + (int)i, sizes[i]);
		assert_true(channel_send(pair.traffic, MESSAGE_QUERY, (uint32_t)i,
					 (struct slice){ bytes, sizes[i] }, -1));
		free(bytes);
	}
	for (size_t i = 0; i < nitems(sizes); i++) {
		assert_int_equal(channel_receive(pair.resolver, &message), CHANNEL_MESSAGE);
		assert_int_equal(message.type, MESSAGE_QUERY);
		assert_int_equal(message.request, i);
		assert_int_equal(message.body.len, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(message.body.data[at], 'a' + (int)i);
	}
	assert_int_equal(channel_receive(pair.resolver, &message), CHANNEL_AGAIN);
	close_pair(&pair);
}

static void a_descriptor_crosses_and_is_closed_unless_taken(void **state)
{
	struct channel *control, *child;
	struct message message;
	int fds[2], ends[2], kept;
	char byte;

	assert_true(channel_pair(fds));
	control = channel_create(fds[0], PROCESS_CONTROL, PROCESS_TRAFFIC);
	child = channel_create(fds[1], PROCESS_TRAFFIC, PROCESS_CONTROL);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (int i = 0; i < 2; i++)
		assert_true(channel_send(control, MESSAGE_LISTENER, 0, slice_of("s2s"), ends[1]));
	close(ends[1]);
	assert_int_equal(channel_receive(child, &message), CHANNEL_MESSAGE);
	kept = message_take_fd(&message);
	assert_true(kept >= 0);
	assert_int_equal(channel_receive(child, &message), CHANNEL_MESSAGE);
	assert_true(message.fd >= 0);
	assert_int_equal(channel_receive(child, &message), CHANNEL_AGAIN);
	assert_int_equal(write(kept, "k", 1), 1);
	close(kept);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* no writer is left: the other was closed */
	close(ends[0]);
	channel_destroy(&control);
	channel_destroy(&child);
}

static void what_the_table_does_not_hold_is_not_sent(void **state)
{
	struct pair pair = open_pair();
	struct message message;

	assert_false(channel_send(pair.resolver, MESSAGE_QUERY, 0, NO_BODY, -1));
	assert_false(channel_send(pair.traffic, MESSAGE_SNAPSHOT, 0, NO_BODY, 0));
	assert_false(channel_send(pair.traffic, MESSAGE_CONFIG, 0, NO_BODY, -1));
	assert_false(channel_send(pair.traffic, MESSAGE_QUERY, 0, NO_BODY, 0)); /* no fd here */
	assert_int_equal(channel_receive(pair.resolver, &message), CHANNEL_AGAIN);
	assert_true(channel_send(pair.resolver, MESSAGE_ANSWER, 0, NO_BODY, -1));
	assert_int_equal(channel_receive(pair.traffic, &message), CHANNEL_MESSAGE);
	close_pair(&pair);
}

/* A process that was taken over writes to the socket as it likes. */
static void what_the_table_does_not_hold_is_not_heard(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} packets[] = {
		{ "", 1 },
		{ "\0\1\0", 3 },
		{ "\0\7\0\0\0\0\0\1x", 9 },	/* a query, from the resolver */
		{ "\0\1\0\0\0\0\0\1x", 9 },	/* a snapshot */
		{ "\0\10\0\2\0\0\0\1x", 9 },	/* an unknown flag */
		{ "\0\10\0\1\0\0\0\1", 8 },	/* a memfd that isn't there */
		{ "\377\377\0\0\0\0\0\1x", 9 }, /* no such type */
	};
	struct message message;
	struct channel *traffic;
	int fds[2];

	assert_true(channel_pair(fds));
	traffic = channel_create(fds[0], PROCESS_TRAFFIC, PROCESS_RESOLVER);
	for (size_t i = 0; i < nitems(packets); i++) {
		assert_int_equal(send(fds[1], packets[i].bytes, packets[i].len, 0), packets[i].len);
		assert_int_equal(channel_receive(traffic, &message), CHANNEL_AGAIN);
	}
	assert_int_equal(send(fds[1], "\0\10\0\0\0\0\0\11good", 12, 0), 12);
	assert_int_equal(channel_receive(traffic, &message), CHANNEL_MESSAGE);
	assert_int_equal(message.request, 9);
	assert_true(slice_is(message.body, "good"));
	close(fds[1]);
	channel_destroy(&traffic);
}

static void an_end_that_does_not_read_meets_a_limit(void **state)
{
	struct pair pair = open_pair();
	static char bytes[60000];
	struct message message;
	size_t sent = 0, got = 0;

	while (channel_send(pair.traffic, MESSAGE_QUERY, (uint32_t)sent,
			    (struct slice){ bytes, sizeof(bytes) }, -1))
		sent++;
	assert_true(channel_wants_write(pair.traffic));
	assert_in_range(sent * sizeof(bytes), CHANNEL_QUEUE_BYTES / 2, CHANNEL_QUEUE_BYTES * 2);
	while (got < sent) { /* and nothing of what was taken is lost */
		if (channel_receive(pair.resolver, &message) == CHANNEL_MESSAGE)
			assert_int_equal(message.request, got++);
		channel_flush(pair.traffic);
	}
	assert_false(channel_wants_write(pair.traffic));
	close_pair(&pair);
}

static void the_death_of_the_other_end_is_seen_after_its_last_message(void **state)
{
	struct pair pair = open_pair();
	struct message message;

	assert_true(channel_send(pair.traffic, MESSAGE_QUERY, 1, slice_of("last"), -1));
	channel_destroy(&pair.traffic);
	assert_int_equal(channel_receive(pair.resolver, &message), CHANNEL_MESSAGE);
	assert_int_equal(channel_receive(pair.resolver, &message), CHANNEL_GONE);
	assert_false(channel_send(pair.resolver, MESSAGE_ANSWER, 1, NO_BODY, -1));
	assert_int_equal(channel_wait(pair.resolver, &message, 1000), CHANNEL_GONE);
	close_pair(&pair);
}

static void only_the_designed_pairs_talk(void **state)
{
	static const bool pairs[PROCESS_COUNT][PROCESS_COUNT] = {
		[PROCESS_CONTROL] = { false, true, true, true, true },
		[PROCESS_TRAFFIC] = { true, false, true, true, true },
		[PROCESS_MANAGE] = { true, true, false, true, false },
		[PROCESS_RESOLVER] = { true, true, true, false, false },
		[PROCESS_CAPTURE] = { true, true, false, false, false },
	};

	for (enum process a = 0; a < PROCESS_COUNT; a++) {
		for (enum process b = 0; b < PROCESS_COUNT; b++) {
			assert_int_equal(process_pair_may_talk(a, b), pairs[a][b]);
			for (unsigned type = 0; type <= MESSAGE_COUNT; type++) {
				if (message_may_go((uint16_t)type, a, b))
					assert_true(pairs[a][b]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_and_in_order),
		cmocka_unit_test(a_descriptor_crosses_and_is_closed_unless_taken),
		cmocka_unit_test(what_the_table_does_not_hold_is_not_sent),
		cmocka_unit_test(what_the_table_does_not_hold_is_not_heard),
		cmocka_unit_test(an_end_that_does_not_read_meets_a_limit),
		cmocka_unit_test(the_death_of_the_other_end_is_seen_after_its_last_message),
		cmocka_unit_test(only_the_designed_pairs_talk),
	};

	alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
