/* The server is a process of its own; the tests are clients that block. */
#include "net/https_server.h"

#include "base/alloc.h"
#include "store/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PER_ADDRESS 4
#define BODY_BYTES ((size_t)16 << 20)
#define BIG_BYTES ((size_t)24 << 20)
#define SOON_S 10 /* of a client's patience */

/* What both processes see. */
static struct shared {
	volatile unsigned gone, refused;
} * shared;

static pid_t server_pid;
static uint16_t port;
static SSL_CTX *client;

/* The server */

static struct loop *loop;
static struct stream {
	struct timer timer;
	struct https_call *call;
	bool endless;
	unsigned sent;
} streams[8];

static void on_stream_timer(struct timer *timer)
{
	struct stream *stream = (void *)((char *)timer - offsetof(struct stream, timer));

	https_stream_send(stream->call, slice_of(stream->sent++ ? "two\n" : "one\n"));
	if (!stream->endless && stream->sent == 2)
		https_stream_end(&stream->call);
	else
		loop_arm(loop, &stream->timer, 20);
}

static void on_stream_gone(void *arg)
{
	struct stream *stream = arg;

	loop_disarm(loop, &stream->timer);
	https_stream_end(&stream->call);
	shared->gone++;
}

static void stream_to(struct https_call *call, bool endless)
{
	static const char *const headers[] = { "X-Accel-Buffering", "no", NULL };
	struct stream *stream = streams;

	while (stream->call)
		stream++;
	*stream = (struct stream){ { .fire = on_stream_timer }, call, endless, 0 };
	https_stream_begin(call, "text/event-stream", headers, on_stream_gone, stream);
	loop_arm(loop, &stream->timer, 20);
}

static void on_request(void *arg, struct https_call *call)
{
	const char *path = https_path(call), *query = https_query(call);
	char *text;

	if (strcmp(path, "/stream") == 0 || strcmp(path, "/endless") == 0) {
		stream_to(call, strcmp(path, "/endless") == 0);
		return;
	}
	if (strcmp(path, "/untaken") == 0) {
		text = xasprintf("%zu bytes\n", https_untaken(call));
		https_reply(&call, 200, "text/plain", NULL, slice_of(text));
		free(text);
		return;
	}
	text = strcmp(path, "/big") == 0
		       ? memset(xcalloc(1, BIG_BYTES + 1), 'x', BIG_BYTES)
		       : xasprintf("%s %s ? %s from %s at %s, %zu bytes\n", https_method(call),
				   path, query ? query : "-", https_from(call), https_place(call),
				   https_body(call).len);
	https_reply(&call, 200, "text/plain", NULL, slice_of(text));
	free(text);
}

static void on_refused(void *arg, const char *from, const char *why)
{
	if (strcmp(from, "127.0.0.1") == 0 && *why)
		shared->refused++;
}

static void stop(void *arg)
{
	loop_stop(loop);
}

static void serve(int fd)
{
	char *certificate, *key;
	const char *why;
	struct https_server *server;
	struct tls *tls;

	loop = loop_create();
	server = https_server_create(
		&(struct https_server_config){ .loop = loop,
					       .body_bytes = BODY_BYTES,
					       .timeout_s = 1,
					       .connections_max = 100,
					       .connections_per_address = PER_ADDRESS,
					       .request = on_request,
					       .refused = on_refused });
	if (!identity_make("node-a", &certificate, &key))
		abort();
	tls = tls_create_https(slice_of(certificate), slice_of(key), &why);
	if (!tls)
		abort();
	https_server_use(server, &tls);
	https_server_listen(server, fd);
	loop_on_signal(loop, SIGTERM, stop, NULL);
	loop_run(loop);
	https_server_destroy(&server);
	loop_destroy(&loop);
	free(certificate);
	free(key);
}

/* The client */

static int dial_from(in_addr_t own)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(own) };
	struct timeval patience = { SOON_S, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int dial(void)
{
	return dial_from(INADDR_LOOPBACK);
}

static SSL *shake_hands(int fd)
{
	SSL *ssl = SSL_new(client);

	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	return ssl;
}

static void hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* When those who were there before are gone. */
static SSL *get_in(void)
{
	for (double until = now() + SOON_S;; usleep(10000)) {
		SSL *ssl = SSL_new(client);

		SSL_set_fd(ssl, dial());
		if (SSL_connect(ssl) == 1)
			return ssl;
		hang_up(ssl);
		assert_true(now() < until);
	}
}

static void say(SSL *ssl, const char *text)
{
	assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads until the text has come; NULL: the connection ended before, or nothing comes. */
static const char *hear(SSL *ssl, const char *text)
{
	static char heard[65536];
	size_t len = 0;

	*heard = '\0';
	while (!strstr(heard, text)) {
		int n = SSL_read(ssl, heard + len, (int)(sizeof(heard) - 1 - len));

		if (n <= 0)
			return NULL;
		len += (size_t)n;
		heard[len] = '\0';
	}
	return heard;
}

/* Whether that comes about before patience ends. */
static bool comes(volatile unsigned *count, unsigned wanted)
{
	for (double until = now() + SOON_S; now() < until; usleep(10000)) {
		if (*count >= wanted)
			return true;
	}
	return false;
}

/* Whether the other end closes. */
static bool ends(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0 || errno == ECONNRESET;
}

static void a_request_is_told_with_its_query_and_answered(void **state)
{
	SSL *ssl = shake_hands(dial());
	const char *heard;

	say(ssl, "GET /a%20b?c=d&e HTTP/1.1\r\nHost: x\r\n\r\n");
	heard = hear(ssl, "bytes\n");
	assert_non_null(heard);
	assert_non_null(strstr(heard, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(heard, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(heard, "GET /a%20b ? c=d&e from 127.0.0.1 at 127.0.0.1, 0 bytes\n"));
	say(ssl, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	assert_non_null(
		strstr(hear(ssl, "bytes\n"), "POST / ? - from 127.0.0.1 at 127.0.0.1, 3 bytes\n"));
	say(ssl, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(hear(ssl, "bytes\n"), "other / ?"));
	hang_up(ssl);
}

/* A socket that hears both families: addresses of IPv4 are not one network of IPv6. */
static void who_comes_by_ipv4_counts_for_himself(void **state)
{
	struct sockaddr_in6 both = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(both);
	uint16_t before = port;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), off = 0;
	const char *heard;
	pid_t pid;
	SSL *ssl;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&both, sizeof(both)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&both, &len) < 0)
		skip(); /* a machine without IPv6 */
	pid = fork();
	if (pid == 0) {
		serve(fd);
		_exit(0);
	}
	close(fd);
	port = ntohs(both.sin6_port);
	ssl = shake_hands(dial());
	say(ssl, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	heard = hear(ssl, "bytes\n");
	hang_up(ssl);
	port = before;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	assert_non_null(heard);
	assert_non_null(strstr(heard, " at ::ffff:127.0.0.1, 0 bytes\n"));
}

static size_t untaken(in_addr_t own)
{
	SSL *ssl = shake_hands(dial_from(own));
	const char *heard;
	size_t bytes;

	say(ssl, "GET /untaken HTTP/1.1\r\nHost: x\r\n\r\n");
	heard = hear(ssl, " bytes\n");
	assert_non_null(heard);
	bytes = strtoul(strstr(heard, "\r\n\r\n") + 4, NULL, 10);
	hang_up(ssl);
	return bytes;
}

static void what_a_place_does_not_take_is_counted(void **state)
{
	SSL *ssl = shake_hands(dial());

	assert_int_equal(untaken(INADDR_LOOPBACK), 0);
	say(ssl, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(hear(ssl, "xxx"));
	assert_in_range(untaken(INADDR_LOOPBACK), BIG_BYTES / 4, BIG_BYTES);
	assert_int_equal(untaken(INADDR_LOOPBACK + 1), 0);
	hang_up(ssl);
}

static void a_stream_comes_in_pieces_and_the_connection_goes_on(void **state)
{
	SSL *ssl = shake_hands(dial());
	const char *heard;

	say(ssl, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	heard = hear(ssl, "\r\n0\r\n\r\n");
	assert_non_null(heard);
	assert_non_null(strstr(heard, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(heard, "X-Accel-Buffering: no\r\n"));
	assert_non_null(strstr(heard, "4\r\none\n\r\n4\r\ntwo\n\r\n"));
	say(ssl, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(hear(ssl, "bytes\n"));
	hang_up(ssl);
}

static void who_leaves_a_stream_is_missed(void **state)
{
	unsigned before = shared->gone;
	SSL *ssl = shake_hands(dial());

	say(ssl, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(hear(ssl, "two"));
	assert_int_equal(shared->gone, before);
	hang_up(ssl);
	assert_true(comes(&shared->gone, before + 1));
}

static void one_address_has_so_many_connections_and_no_more(void **state)
{
	unsigned before = shared->refused;
	int silent[PER_ADDRESS], more;
	SSL *ssl;

	for (size_t i = 0; i < nitems(silent); i++)
		silent[i] = dial();
	more = dial();
	assert_true(ends(more));
	assert_true(comes(&shared->refused, before + 1));
	for (size_t i = 0; i < nitems(silent); i++)
		close(silent[i]);
	close(more);
	ssl = get_in();
	say(ssl, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(hear(ssl, "bytes\n"));
	hang_up(ssl);
}

static void a_request_has_its_time_however_it_trickles(void **state)
{
	SSL *ssl = shake_hands(dial());
	double since = now();
	bool cut = false;

	say(ssl, "GET / HTTP/1.1\r\nX: ");
	while (!cut && now() < since + SOON_S) {
		usleep(100000);
		cut = SSL_write(ssl, "x", 1) <= 0;
	}
	assert_true(cut);
	assert_true(now() - since < 5);
	hang_up(ssl);
}

static void silence_ends_a_connection_before_tls_and_after(void **state)
{
	int fd = dial();
	SSL *ssl = shake_hands(dial());
	double since = now();

	assert_true(ends(fd));
	assert_null(hear(ssl, "anything"));
	assert_true(now() - since < 5);
	close(fd);
	hang_up(ssl);
}

static void who_does_not_take_the_answer_is_cut_off(void **state)
{
	static char bytes[65536];
	SSL *ssl = shake_hands(dial());
	size_t taken = 0;
	int n;

	say(ssl, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	usleep(3500000);
	while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
		taken += (size_t)n;
	assert_true(taken < BIG_BYTES);
	hang_up(ssl);
}

static void who_takes_a_long_answer_gets_all_of_it(void **state)
{
	static char bytes[65536];
	SSL *ssl = shake_hands(dial());
	size_t taken = 0;
	int n;

	say(ssl, "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0) {
		taken += (size_t)n;
		if (taken % (1 << 20) < (size_t)n)
			usleep(100000); /* 2.5 s in all */
	}
	assert_true(taken > BIG_BYTES);
	hang_up(ssl);
}

/* As much of a body as the server takes. */
static size_t begin_body(SSL *ssl, size_t len)
{
	static char bytes[65536];
	size_t sent = 0;
	int n = 1;

	say(ssl, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n");
	for (; sent < len && n > 0; sent += n > 0 ? (size_t)n : 0)
		n = SSL_write(ssl, bytes, sizeof(bytes));
	return sent;
}

static void long_bodies_from_one_address_are_bounded_together(void **state)
{
	unsigned before = shared->refused;
	SSL *first = shake_hands(dial()), *second;

	assert_true(begin_body(first, (size_t)15 << 20) >= (size_t)15 << 20);
	second = shake_hands(dial());
	begin_body(second, (size_t)15 << 20);
	assert_true(comes(&shared->refused, before + 1));
	hang_up(second);
	hang_up(first);
}

static void what_is_sent_on_before_the_answer_is_bounded(void **state)
{
	unsigned before = shared->refused;
	SSL *ssl = shake_hands(dial());
	char bytes[1024];

	memset(bytes, 'x', sizeof(bytes));
	say(ssl, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
	for (size_t i = 0; i < 2 * HTTPS_SHORT_BYTES / sizeof(bytes); i++) {
		if (SSL_write(ssl, bytes, sizeof(bytes)) <= 0)
			break;
	}
	assert_true(comes(&shared->refused, before + 1));
	hang_up(ssl);
}

static void a_body_too_long_is_refused(void **state)
{
	SSL *ssl = shake_hands(dial());

	say(ssl, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n");
	assert_non_null(hear(ssl, " 413 "));
	hang_up(ssl);
}

static int set_up(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	signal(SIGPIPE, SIG_IGN);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	port = ntohs(at.sin_port);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	server_pid = fork();
	if (server_pid == 0) {
		serve(fd);
		exit(0); /* with the search for leaks */
	}
	close(fd);
	client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	return 0;
}

static int tear_down(void **state)
{
	int status = -1;

	kill(server_pid, SIGTERM);
	waitpid(server_pid, &status, 0);
	SSL_CTX_free(client);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_told_with_its_query_and_answered),
		cmocka_unit_test(who_comes_by_ipv4_counts_for_himself),
		cmocka_unit_test(what_a_place_does_not_take_is_counted),
		cmocka_unit_test(a_stream_comes_in_pieces_and_the_connection_goes_on),
		cmocka_unit_test(who_leaves_a_stream_is_missed),
		cmocka_unit_test(one_address_has_so_many_connections_and_no_more),
		cmocka_unit_test(a_request_has_its_time_however_it_trickles),
		cmocka_unit_test(silence_ends_a_connection_before_tls_and_after),
		cmocka_unit_test(who_does_not_take_the_answer_is_cut_off),
		cmocka_unit_test(who_takes_a_long_answer_gets_all_of_it),
		cmocka_unit_test(long_bodies_from_one_address_are_bounded_together),
		cmocka_unit_test(what_is_sent_on_before_the_answer_is_bounded),
		cmocka_unit_test(a_body_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
