#include "net/resolve.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct resolve *resolve;

/* A DNS server on loopback that knows one address for every name, or is silent. */
struct server {
	struct loop_io io;
	bool silent;
	size_t asked;
	struct resolve_config config; /* to ask it */
};

static void on_question(struct loop_io *io, bool readable, bool writable)
{
	static const char record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	struct server *server = (struct server *)io;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	char packet[1500];
	ssize_t got = recvfrom(io->fd, packet, sizeof(packet) - sizeof(record), 0,
			       (struct sockaddr *)&from, &from_len);
	size_t len = 12;

	server->asked++;
	if (got < 12 || server->silent)
		return;
	len += strlen(packet + len) + 1 + 4; /* the question; what follows is left out */
	packet[2] = (char)0x81;		     /* a response, recursion desired */
	packet[3] = (char)0x80;		     /* recursion available */
	packet[7] = 1;			     /* one answer */
	packet[9] = packet[11] = 0;
	memcpy(packet + len, record, sizeof(record) - 1);
	sendto(io->fd, packet, len + sizeof(record) - 1, 0, (struct sockaddr *)&from, from_len);
}

static void open_server(struct server *server, bool silent)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	*server = (struct server){ .silent = silent, .config.servers_count = 1 };
	server->io.ready = on_question;
	server->io.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server->io.fd, (struct sockaddr *)&address, len), 0);
	getsockname(server->io.fd, (struct sockaddr *)&address, &len);
	snprintf(server->config.servers[0], RESOLVE_SERVER_BYTES, "127.0.0.1@%u",
		 ntohs(address.sin_port));
	loop_watch(loop, &server->io, true, false);
}

static void close_server(struct server *server)
{
	loop_unwatch(&server->io);
	close(server->io.fd);
}

static struct {
	size_t count;
	enum dns_status status;
	size_t records;
} heard;

static void answered(void *arg, const struct dns_answer *answer)
{
	heard.count++;
	heard.status = answer->status;
	heard.records = answer->count;
	loop_stop(loop);
}

static struct resolve_query *ask(const char *name, uint32_t timeout_ms)
{
	struct dns_question question = { .type = DNS_A, .timeout_ms = timeout_ms };

	snprintf(question.name, sizeof(question.name), "%s", name);
	return resolve_ask(resolve, &question, answered, NULL);
}

static int set_up(void **state)
{
	loop = loop_create();
	resolve = resolve_create(loop);
	memset(&heard, 0, sizeof(heard));
	return 0;
}

static int tear_down(void **state)
{
	resolve_destroy(&resolve);
	loop_destroy(&loop);
	return 0;
}

static void a_question_is_answered_later_also_from_the_cache(void **state)
{
	struct server server;
	const char *why;

	open_server(&server, false);
	assert_true(resolve_configure(resolve, &server.config, &why));
	for (size_t i = 1; i <= 2; i++) {
		ask("a.example", 5000);
		assert_int_equal(heard.count, i - 1);
		loop_run(loop);
		assert_int_equal(heard.count, i);
		assert_int_equal(heard.status, DNS_FOUND);
		assert_int_equal(heard.records, 1);
	}
	assert_int_equal(server.asked, 1);
	close_server(&server);
}

static void without_a_server_the_answer_says_so(void **state)
{
	ask("a.example", 5000);
	assert_int_equal(heard.count, 0);
	loop_run(loop);
	assert_int_equal(heard.status, DNS_UNAVAILABLE);
}

static void a_server_that_is_silent_is_given_up_in_time(void **state)
{
	struct server server;
	const char *why;

	open_server(&server, true);
	assert_true(resolve_configure(resolve, &server.config, &why));
	ask("a.example", 50);
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_TIMED_OUT);
	close_server(&server);
}

static void what_is_open_is_asked_of_the_new_servers(void **state)
{
	struct server silent, good;
	struct resolve_config wrong = { { "nonsense" }, 1 };
	const char *why = NULL;

	open_server(&silent, true);
	open_server(&good, false);
	assert_true(resolve_configure(resolve, &silent.config, &why));
	ask("a.example", 5000);
	assert_false(resolve_configure(resolve, &wrong, &why));
	assert_non_null(why);
	assert_true(resolve_configure(resolve, &good.config, &why));
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_FOUND);
	close_server(&silent);
	close_server(&good);
}

static void a_cancelled_question_is_not_answered(void **state)
{
	struct resolve_query *query;
	struct server server;
	const char *why;

	open_server(&server, false);
	assert_true(resolve_configure(resolve, &server.config, &why));
	query = ask("a.example", 5000);
	resolve_cancel(&query);
	assert_null(query);
	resolve_cancel(&query);
	ask("b.example", 5000);
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	ask("open.example", 5000); /* and one is open at the end */
	close_server(&server);
}

static void too_many_questions_fail_and_leave_the_others_alone(void **state)
{
	struct resolve_query *queries[RESOLVE_OUTSTANDING_MAX];
	struct server server;
	const char *why;

	open_server(&server, true);
	assert_true(resolve_configure(resolve, &server.config, &why));
	for (size_t i = 0; i < nitems(queries); i++)
		queries[i] = ask("a.example", 5000);
	ask("b.example", 5000);
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.status, DNS_SERVFAIL);
	for (size_t i = 0; i < nitems(queries); i++)
		resolve_cancel(&queries[i]);
	close_server(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_question_is_answered_later_also_from_the_cache),
		TEST(without_a_server_the_answer_says_so),
		TEST(a_server_that_is_silent_is_given_up_in_time),
		TEST(what_is_open_is_asked_of_the_new_servers),
		TEST(a_cancelled_question_is_not_answered),
		TEST(too_many_questions_fail_and_leave_the_others_alone),
	};

	alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
