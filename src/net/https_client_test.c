#include "net/https_client.h"

#include "base/alloc.h"
#include "ipc/sandbox.h"
#include "net/dns_wire.h"
#include "net/https_test_server.h"
#include "net/messenger.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct https_test_server server;
static struct loop *loop;
static struct https_client *client;

static struct heard {
	size_t count;
	uint64_t tag;
	enum https_end end;
	long status;
	char why[256];
	char body[8192];
} heard;

static void on_answer(void *arg, uint64_t tag, const struct https_answer *answer)
{
	heard.count++;
	heard.tag = tag;
	heard.end = answer->end;
	heard.status = answer->status;
	snprintf(heard.why, sizeof(heard.why), "%s", answer->why ? answer->why : "");
	snprintf(heard.body, sizeof(heard.body), "%.*s", SLICE_ARGS(answer->body));
	loop_stop(loop);
}

static struct https_request request_of(const char *path)
{
	return (struct https_request){
		.host = "127.0.0.1",
		.port = server.port,
		.path = path,
		.verify = HTTPS_VERIFY_PIN,
		.pin = server.pin,
		.timeout_ms = 5000,
	};
}

static void ask(const struct https_request *request)
{
	heard = (struct heard){ 0 };
	https_client_send(client, request, 7, on_answer, NULL);
	assert_int_equal(heard.count, 0); /* never from inside */
	loop_run(loop);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.tag, 7);
}

static int set_up(void **state)
{
	loop = loop_create();
	client = https_client_create(loop, NULL);
	return 0;
}

static int tear_down(void **state)
{
	https_client_destroy(&client);
	loop_destroy(&loop);
	return 0;
}

static void a_request_has_its_headers_login_and_body_and_no_more(void **state)
{
	static const char *const headers[] = { "SOAPAction: \"x\"", "Content-Type: text/xml",
					       NULL };
	struct https_request request = request_of("/echo");
	char *expected;

	request.password = "pass";
	request.headers = headers;
	request.user = "axl";
	request.body = slice_of("<body/>");
	ask(&request);
	assert_int_equal(heard.end, HTTPS_ANSWERED);
	assert_int_equal(heard.status, 200);
	expected = xasprintf("connection=%d\nPOST /echo HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
			     "Authorization: Basic YXhsOnBhc3M=\r\nAccept: */*\r\n"
			     "SOAPAction: \"x\"\r\nContent-Type: text/xml\r\n"
			     "Content-Length: 7\r\n\r\n<body/>",
			     atoi(heard.body + strlen("connection=")), server.port);
	assert_string_equal(heard.body, expected);
	free(expected);
}

static void a_connection_is_used_again(void **state)
{
	struct https_request request = request_of("/echo");
	int first;

	ask(&request);
	first = atoi(heard.body + strlen("connection="));
	assert_true(first > 0);
	ask(&request);
	assert_int_equal(atoi(heard.body + strlen("connection=")), first);
}

static void any_status_is_an_answer_and_redirects_are_not_followed(void **state)
{
	static const struct {
		const char *path;
		long status;
	} rows[] = { { "/status/401", 401 },
		     { "/status/599", 599 },
		     { "/status/503", 503 },
		     { "/redirect", 302 } };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct https_request request = request_of(rows[i].path);

		ask(&request);
		assert_int_equal(heard.end, HTTPS_ANSWERED);
		assert_int_equal(heard.status, rows[i].status);
	}
}

/* `needle`: of `why`. */
static void assert_end(const struct https_request *request, enum https_end end, const char *needle)
{
	ask(request);
	if (heard.end != end || !strstr(heard.why, needle))
		fail_msg("%s: %s", https_end_name(heard.end), heard.why);
	assert_string_equal(heard.body, "");
}

static void what_is_not_http_or_has_no_end_is_given_up(void **state)
{
	struct https_request request = request_of("/garbage");

	assert_end(&request, HTTPS_PROTOCOL, "HTTP/0.9");
	request.path = "/long";
	assert_end(&request, HTTPS_PROTOCOL, "longer than 4194304 bytes");
	request.path = "/headers";
	assert_end(&request, HTTPS_PROTOCOL, "longer than");
}

static void silence_ends_in_time(void **state)
{
	struct https_request request = request_of("/silent");

	request.timeout_ms = 200;
	assert_end(&request, HTTPS_TIMEOUT, "timed out");
}

static void another_key_than_the_pinned_one_is_refused(void **state)
{
	struct https_request request = request_of("/echo");
	char pin[65];

	memcpy(pin, server.pin, sizeof(pin));
	pin[63] = pin[63] == '0' ? '1' : '0';
	request.pin = pin;
	assert_end(&request, HTTPS_TLS, "public key does not match");
	request.pin = "not a pin";
	assert_end(&request, HTTPS_TLS, "public key does not match");
	request.pin = NULL;
	assert_end(&request, HTTPS_TLS, "public key does not match");
	request.verify = HTTPS_VERIFY_OFF;
	ask(&request);
	assert_int_equal(heard.end, HTTPS_ANSWERED);
}

static void a_port_without_listener_refuses(void **state)
{
	struct https_request request = request_of("/echo");
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0); /* bound, not listening */
	getsockname(fd, (struct sockaddr *)&at, &len);
	request.port = ntohs(at.sin_port);
	assert_end(&request, HTTPS_REFUSED, "refused");
	request.host = "axl.example";
	assert_end(&request, HTTPS_NO_ADDRESS, "no resolver");
	close(fd);
}

/* Plays the resolver process: "axl.example" and "other.example" are 127.0.0.1 and ::1. */
static struct messenger *resolver;

static void on_query(void *arg, struct message *message)
{
	struct address address = { .v6 = false, .bytes = { 127, 0, 0, 1 } };
	struct dns_question question;
	struct dns_answer answer = { .status = DNS_FOUND, .addresses = &address, .count = 1 };
	struct buffer body = { 0 };

	assert_true(dns_wire_get_query(message->body, &question));
	answer.type = question.type;
	if (question.type == DNS_AAAA)
		address = (struct address){ .v6 = true, .bytes = { [15] = 1 } };
	if (strcmp(question.name, "absent.example") == 0) {
		answer.status = question.type == DNS_A ? DNS_ABSENT : DNS_SERVFAIL;
		answer.count = 0;
	}
	dns_wire_put_answer(&body, &answer);
	messenger_send(resolver, MESSAGE_ANSWER, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void on_gone(void *arg)
{
}

static struct dns *begin_resolver(void)
{
	static const struct messenger_handler handler = { on_query, on_gone };
	int fds[2];

	assert_true(channel_pair(fds));
	resolver = messenger_create(loop, fds[0], PROCESS_RESOLVER, PROCESS_MANAGE, &handler, NULL);
	return dns_create(loop, PROCESS_MANAGE, fds[1]);
}

static void an_authority_vouches_for_the_name_that_was_asked(void **state)
{
	struct https_request request = request_of("/echo");
	struct dns *dns = begin_resolver();

	https_client_destroy(&client);
	client = https_client_create(loop, dns);
	request.verify = HTTPS_VERIFY_CA;
	request.trust = slice_of(server.certificate);
	request.host = "axl.example";
	ask(&request);
	assert_string_equal(heard.why, "");
	assert_int_equal(heard.end, HTTPS_ANSWERED);
	assert_non_null(strstr(heard.body, "\r\nHost: axl.example:"));
	request.host = "other.example";
	assert_end(&request, HTTPS_TLS, "other.example");
	request.host = "absent.example";
	assert_end(&request, HTTPS_NO_ADDRESS,
		   "absent.example has no address (A: absent, AAAA: servfail)");
	request.host = "127.0.0.1";
	assert_end(&request, HTTPS_TLS, "127.0.0.1");
	request.host = "axl.example";
	request.trust = (struct slice){ 0 }; /* not the machine's either */
	assert_end(&request, HTTPS_TLS, "self-signed");
	https_client_destroy(&client);
	dns_destroy(&dns);
	messenger_destroy(&resolver);
}

/* In the sandbox nothing opens a file, makes a thread, or reaches a UNIX socket. */
static int work_in_the_sandbox(void)
{
	struct https_request request = request_of("/echo");
	const char *why;

	if (!sandbox_enter(PROCESS_MANAGE, NULL, &why))
		return 2;
	set_up(NULL);
	ask(&request);
	if (heard.end != HTTPS_ANSWERED)
		fprintf(stderr, "# %s: %s\n", https_end_name(heard.end), heard.why);
	tear_down(NULL);
	set_up(NULL);
	an_authority_vouches_for_the_name_that_was_asked(NULL);
	loop_destroy(&loop);
	return heard.end == HTTPS_TLS ? 0 : 1;
}

static void it_works_in_the_sandbox_of_manage(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(work_in_the_sandbox());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void destroy_all(void *arg, uint64_t tag, const struct https_answer *answer)
{
	heard.count++;
	https_client_destroy(&client);
	loop_stop(loop);
}

static void an_answer_may_destroy_the_client(void **state)
{
	struct https_request request = request_of("/echo");

	heard = (struct heard){ 0 };
	request.host = "axl.example"; /* two answers at once: there is no resolver */
	https_client_send(client, &request, 1, destroy_all, NULL);
	https_client_send(client, &request, 2, destroy_all, NULL);
	request.host = "127.0.0.1";
	https_client_send(client, &request, 3, destroy_all, NULL);
	loop_run(loop);
	assert_null(client);
	assert_int_equal(heard.count, 1);
}

static int start_server(void **state)
{
	https_test_server_start(&server, "axl.example", NULL, NULL);
	return https_prepare() ? 0 : -1;
}

static int stop_server(void **state)
{
	https_test_server_stop(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_request_has_its_headers_login_and_body_and_no_more),
		TEST(a_connection_is_used_again),
		TEST(any_status_is_an_answer_and_redirects_are_not_followed),
		TEST(what_is_not_http_or_has_no_end_is_given_up),
		TEST(silence_ends_in_time),
		TEST(another_key_than_the_pinned_one_is_refused),
		TEST(a_port_without_listener_refuses),
		TEST(an_authority_vouches_for_the_name_that_was_asked),
		cmocka_unit_test(it_works_in_the_sandbox_of_manage),
		TEST(an_answer_may_destroy_the_client),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
