#include "net/messenger.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_BODY ((struct slice){ 0 })

struct end {
	struct loop *loop;
	struct messenger *messenger;
	uint32_t heard, answers; /* messages; how many of them are answered */
	uint32_t stop_after;
	bool gone, destroys;
};

static void on_message(void *arg, struct message *message)
{
	struct end *end = arg;

	assert_int_equal(message->request, end->heard);
	end->heard++;
	if (end->answers) {
		end->answers--;
		assert_true(messenger_send(end->messenger, MESSAGE_ANSWER, message->request,
					   message->body, -1));
	}
	if (end->heard == end->stop_after) {
		if (end->destroys)
			messenger_destroy(&end->messenger);
		else
			loop_stop(end->loop);
	}
}

static void on_gone(void *arg)
{
	struct end *end = arg;

	assert_false(messenger_send(end->messenger, MESSAGE_QUERY, 0, NO_BODY, -1));
	end->gone = true;
	if (end->destroys)
		messenger_destroy(&end->messenger);
	loop_stop(end->loop);
}

static const struct messenger_handler handler = { on_message, on_gone };

static void open_ends(struct end *traffic, struct end *resolver)
{
	int fds[2];

	*traffic = *resolver = (struct end){ .loop = loop_create() };
	assert_true(channel_pair(fds));
	traffic->messenger = messenger_create(traffic->loop, fds[0], PROCESS_TRAFFIC,
					      PROCESS_RESOLVER, &handler, traffic);
	resolver->messenger = messenger_create(resolver->loop, fds[1], PROCESS_RESOLVER,
					       PROCESS_TRAFFIC, &handler, resolver);
}

static void close_ends(struct end *traffic, struct end *resolver)
{
	messenger_destroy(&traffic->messenger);
	messenger_destroy(&resolver->messenger);
	loop_destroy(&traffic->loop);
}

static void more_than_the_socket_holds_crosses_both_ways(void **state)
{
	enum { COUNT = 100 };
	static char bytes[60000];
	struct end traffic, resolver;

	open_ends(&traffic, &resolver);
	resolver.answers = COUNT;
	traffic.stop_after = COUNT;
	for (uint32_t i = 0; i < COUNT; i++)
		assert_true(messenger_send(traffic.messenger, MESSAGE_QUERY, i,
					   (struct slice){ bytes, sizeof(bytes) }, -1));
	assert_int_equal(traffic.heard, 0); /* never from inside the call */
	loop_run(traffic.loop);
	assert_int_equal(resolver.heard, COUNT);
	assert_int_equal(traffic.heard, COUNT);
	close_ends(&traffic, &resolver);
}

static void death_is_an_event_and_both_may_be_destroyed_in_it(void **state)
{
	struct end traffic, resolver;

	open_ends(&traffic, &resolver);
	traffic.destroys = true;
	resolver.destroys = true;
	resolver.stop_after = 3; /* it dies while messages are still waiting */
	for (uint32_t i = 0; i < 10; i++)
		messenger_send(traffic.messenger, MESSAGE_QUERY, i, NO_BODY, -1);
	loop_run(traffic.loop);
	assert_int_equal(resolver.heard, 3);
	assert_null(resolver.messenger);
	assert_true(traffic.gone);
	assert_null(traffic.messenger);
	close_ends(&traffic, &resolver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_the_socket_holds_crosses_both_ways),
		cmocka_unit_test(death_is_an_event_and_both_may_be_destroyed_in_it),
	};

	alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
