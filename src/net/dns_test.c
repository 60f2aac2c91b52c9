#include "net/dns.h"

#include "base/alloc.h"
#include "net/dns_wire.h"
#include "net/messenger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct dns *dns;

/* Plays the resolver process: what it was asked, and how it answers. */
static struct resolver {
	struct messenger *messenger;
	struct dns_question question; /* the last */
	size_t asked;
	bool silent, dies, lies;
} resolver;

/* Plays the driver. */
static struct heard {
	size_t count;
	enum dns_status status;
	uint32_t took_us;
	char name[300], target[300];
} heard;

static void on_query(void *arg, struct message *message)
{
	struct srv_record srv[] = { { 1, 2, 5269, "x.example" } };
	struct dns_answer answer = { DNS_SRV, DNS_FOUND, .srv = srv, .count = 1 };
	struct buffer body = { 0 };

	resolver.asked++;
	assert_true(dns_wire_get_query(message->body, &resolver.question));
	if (resolver.dies)
		messenger_destroy(&resolver.messenger);
	if (resolver.dies || resolver.silent) {
		loop_stop(loop);
		return;
	}
	if (resolver.lies)
		answer = (struct dns_answer){ DNS_A, DNS_ABSENT };
	dns_wire_put_answer(&body, &answer);
	messenger_send(resolver.messenger, MESSAGE_ANSWER, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void on_gone(void *arg)
{
	messenger_destroy(&resolver.messenger);
}

static const struct messenger_handler handler = { on_query, on_gone };

static void answered(void *arg, const struct dns_answer *answer)
{
	heard.count++;
	heard.status = answer->status;
	heard.took_us = answer->took_us;
	snprintf(heard.name, sizeof(heard.name), "%s", answer->name);
	if (answer->count)
		snprintf(heard.target, sizeof(heard.target), "%s", answer->srv[0].target);
	if (arg)
		dns_destroy(&dns);
	loop_stop(loop);
}

/* A resolver process begins; gives the other end of its channel. */
static int begin_resolver(void)
{
	int fds[2];

	assert_true(channel_pair(fds));
	resolver = (struct resolver){ 0 };
	resolver.messenger =
		messenger_create(loop, fds[0], PROCESS_RESOLVER, PROCESS_TRAFFIC, &handler, NULL);
	return fds[1];
}

static int set_up(void **state)
{
	loop = loop_create();
	heard = (struct heard){ 0 };
	resolver = (struct resolver){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	dns_destroy(&dns);
	messenger_destroy(&resolver.messenger);
	loop_destroy(&loop);
	return 0;
}

static void a_question_is_answered_from_the_loop(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	dns_ask(dns, DNS_SRV, "_xmpp-server._tcp.fed.example", answered, NULL);
	assert_int_equal(heard.count, 0);
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_FOUND);
	assert_string_equal(heard.name, "_xmpp-server._tcp.fed.example");
	assert_string_equal(heard.target, "x.example");
	assert_in_range(heard.took_us, 1, 5000000);
	assert_string_equal(resolver.question.name, "_xmpp-server._tcp.fed.example");
	assert_in_range(resolver.question.timeout_ms, DNS_TIMEOUT_MS - 1000, DNS_TIMEOUT_MS);
}

static void a_cancelled_question_has_no_answer(void **state)
{
	struct dns_query *query;

	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	query = dns_ask(dns, DNS_SRV, "cancelled.example", answered, NULL);
	dns_cancel(&query);
	assert_null(query);
	dns_cancel(&query);
	dns_ask(dns, DNS_SRV, "a.example", answered, NULL);
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.name, "a.example");
}

static void what_a_dead_resolver_left_open_is_asked_of_its_successor(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	resolver.dies = true;
	dns_ask(dns, DNS_SRV, "a.example", answered, NULL);
	loop_run(loop);
	assert_int_equal(resolver.asked, 1);
	dns_set_resolver(dns, begin_resolver());
	loop_run(loop);
	assert_int_equal(resolver.asked, 1); /* the new one */
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_FOUND);
}

static void questions_wait_for_the_first_resolver(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, -1);
	dns_ask(dns, DNS_SRV, "a.example", answered, NULL);
	dns_set_resolver(dns, begin_resolver());
	loop_run(loop);
	assert_int_equal(heard.status, DNS_FOUND);
}

/* Turns the clock instead of waiting. */
static void when_the_time_is_over_the_cause_is_told_apart(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, -1);
	dns_ask(dns, DNS_SRV, "a.example", answered, NULL);
	timers_run(loop_timers(loop), loop_now_ms(loop) + DNS_TIMEOUT_MS - 1);
	assert_int_equal(heard.count, 0);
	timers_run(loop_timers(loop), loop_now_ms(loop) + 1);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_UNAVAILABLE);

	dns_set_resolver(dns, begin_resolver());
	resolver.silent = true;
	dns_ask(dns, DNS_SRV, "b.example", answered, NULL);
	timers_run(loop_timers(loop), loop_now_ms(loop) + DNS_TIMEOUT_MS);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.status, DNS_TIMED_OUT);
}

static void a_resolver_that_lies_is_not_believed(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	resolver.lies = true; /* answers for another type */
	dns_ask(dns, DNS_SRV, "a.example", answered, NULL);
	loop_run(loop);
	assert_int_equal(heard.status, DNS_SERVFAIL);
}

static void a_name_too_long_for_the_dns_is_absent_and_not_asked(void **state)
{
	char name[DNS_NAME_BYTES + 2] = { 0 };

	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	name[sizeof(name) - 2] = 'b';
	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	dns_ask(dns, DNS_SRV, name, answered, NULL);
	assert_int_equal(heard.count, 0);
	loop_run(loop);
	assert_int_equal(heard.status, DNS_ABSENT);
	assert_string_equal(heard.name, name);
	assert_int_equal(resolver.asked, 0);
}

static void an_answer_may_destroy_everything(void **state)
{
	dns = dns_create(loop, PROCESS_TRAFFIC, begin_resolver());
	dns_ask(dns, DNS_SRV, "a.example", answered, &dns);
	dns_ask(dns, DNS_SRV, "b.example", answered, &dns);
	loop_run(loop);
	assert_null(dns);
	assert_int_equal(heard.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_question_is_answered_from_the_loop),
		TEST(a_cancelled_question_has_no_answer),
		TEST(what_a_dead_resolver_left_open_is_asked_of_its_successor),
		TEST(questions_wait_for_the_first_resolver),
		TEST(when_the_time_is_over_the_cause_is_told_apart),
		TEST(a_resolver_that_lies_is_not_believed),
		TEST(a_name_too_long_for_the_dns_is_absent_and_not_asked),
		TEST(an_answer_may_destroy_everything),
	};

	alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
