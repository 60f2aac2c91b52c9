/* The node is a process of its own, with parts that stand for others; the tests are its visitors.
 */
#include "admin/http_api.h"

#include "admin/accounts.h"
#include "base/alloc.h"
#include "base/log.h"
#include "ipc/wire.h"
#include "store/identity.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSWORD "correct horse"
#define TOO_LONG "0123456789012345678901234567890123456789012345678901234567890123"
#define TOKEN "the-token-of-prometheus"
#define POST_JSON "Content-Type: application/json\r\n"

static pid_t node_pid;
static uint16_t port;
static SSL_CTX *client;

/* The node */

static struct loop *loop;
static struct http_api *api;
static struct desk *desk;
static char *certificate, *private_key;
static char hashes[2][ACCOUNT_HASH_BYTES]; /* of admin and vera */
static uint64_t tag;
static struct timer control;

static const struct asset page[] = { { "/", "text/html", "\"v1\"", (const unsigned char *)"page",
				       4 } };

static void add_account(struct buffer *out, const char *name, const char *role, const char *hash)
{
	snapshot_add(out, &(struct snapshot_record){ 4,
						     { slice_of("admin.accounts"), slice_of(name),
						       slice_of(role), slice_of(hash) } });
}

static void apply(void)
{
	struct buffer out = { 0 };
	struct snapshot *snapshot;
	const char *why;

	snapshot_begin(&out, 1, 1);
	snapshot_add_text(&out, "node.name", "edge-a");
	snapshot_add_text(&out, "node.role", "edge");
	snapshot_add_text(&out, "admin.certificate", certificate);
	snapshot_add_text(&out, "admin.private_key", private_key);
	snapshot_add_text(&out, "admin.metrics_token", TOKEN);
	add_account(&out, "admin", "admin", hashes[0]);
	add_account(&out, "vera", "viewer", hashes[1]);
	add_account(&out, "otto", "operator", hashes[1]);
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	if (!snapshot || !http_api_apply(api, snapshot, &why))
		abort();
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
}

static void on_control(struct timer *timer)
{
	apply();
	http_api_answer(api, tag, true, "");
}

static void ask(void *arg, uint64_t number, const char *author, const char *const *words)
{
	bool of_admin = strcmp(words[1], "admin") == 0;

	if (strcmp(words[0], "account-password") != 0 || strcmp(author, words[1]) != 0)
		abort();
	snprintf(hashes[of_admin ? 0 : 1], ACCOUNT_HASH_BYTES, "%s", words[2]);
	tag = number;
	control.fire = on_control;
	loop_arm(loop, &control, 1);
}

static void run_why(void *arg, const struct errand *errand)
{
	bool bad = strcmp(errand->words[0], "bad example") == 0;
	json_t *data = bad ? NULL : json_pack("{s:s}", "domain", errand->words[0]);

	desk_answer(desk, errand->number, bad ? REPLY_FAILED : REPLY_DONE,
		    bad ? "that is no domain" : "", data);
	json_decref(data);
}

/* Finds something: with data, and exit code 1. */
static void run_doctor(void *arg, const struct errand *errand)
{
	json_t *data = json_pack("{s:s}", "verdict", "1 finding");

	desk_answer(desk, errand->number, REPLY_FAILED, "1 finding", data);
	json_decref(data);
}

static void tell(const struct errand *errand, const char *text, json_t *data)
{
	desk_tell(desk, errand->number, text, data);
	json_decref(data);
}

static void run_trace(void *arg, const struct errand *errand)
{
	tell(errand, "one", json_pack("{s:i}", "seq", 1));
	tell(errand, "two", json_pack("{s:i}", "seq", 2));
	if (strcmp(errand->words[0], "endless.example") == 0)
		return;
	desk_answer(desk, errand->number, REPLY_DONE, "that was all", NULL);
}

static void run_bundle(void *arg, const struct errand *errand)
{
	tell(errand, "", NULL);
	tell(errand, "", json_pack("{s:s}", "base64", "Zm9v"));
	tell(errand, "", json_pack("{s:s}", "base64", "YmFyLg=="));
	desk_answer(desk, errand->number, REPLY_DONE, "7 bytes", NULL);
}

static void run_capture(void *arg, const struct errand *errand)
{
	if (strcmp(errand->words[0], "half.pcapng") == 0)
		tell(errand, "", json_pack("{s:s}", "base64", "Zm9v"));
	desk_answer(desk, errand->number, REPLY_FAILED, "there is no such capture", NULL);
}

static const struct desk_part parts[] = {
	{ "why", run_why, NULL },
	{ "doctor", run_doctor, NULL },
	{ "trace", run_trace, NULL },
	{ "diag-bundle", run_bundle, NULL },
	{ "capture-get", run_capture, NULL },
	{ NULL, NULL, NULL },
};

static void looked(void *arg, const json_t *status)
{
	http_api_looked(api, status);
}

static void hash_passwords(void)
{
	for (int i = 0; i < 2; i++) {
		if (crypto_pwhash_str(hashes[i], PASSWORD, strlen(PASSWORD),
				      crypto_pwhash_OPSLIMIT_INTERACTIVE,
				      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
			abort();
	}
}

#define HEAD "2026-11-24T12:00:00.123456+00:00 edge-a sallyport-traffic[1]: "

static void tell_log(struct event_log *events)
{
	struct buffer body = { 0 };

	wire_put_u64(&body, 1);
	buffer_append_text(
		&body,
		HEAD "Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" Detail=\"public\"\n" HEAD
		     "Module=\"m\" Level=\"INFO\" CodeLocation=\"stanza.logged\" "
		     "Detail=\"stanza=private\"\n");
	if (!event_log_take(events, (struct slice){ buffer_data(&body), buffer_len(&body) }))
		abort();
	buffer_finish(&body);
}

static void stop(void *arg)
{
	loop_stop(loop);
}

static void serve(int fd)
{
	struct watch *watch;
	struct event_log *events;

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	hash_passwords();
	loop = loop_create();
	watch = watch_create(
		&(struct watch_config){ .loop = loop, .release = "1", .looked = looked });
	desk = desk_create(&(struct desk_config){ loop, watch });
	desk_register(desk, parts, NULL);
	events = event_log_create(1000);
	tell_log(events);
	api = http_api_create(
		&(struct http_api_config){ loop, desk, watch, events, "1", page, 1, ask, NULL });
	if (!identity_make("edge-a", &certificate, &private_key))
		abort();
	apply();
	http_api_listen(api, fd);
	loop_on_signal(loop, SIGTERM, stop, NULL);
	loop_run(loop);
	http_api_destroy(&api);
	event_log_destroy(&events);
	desk_destroy(&desk);
	watch_destroy(&watch);
	loop_destroy(&loop);
	free(certificate);
	free(private_key);
}

/* Visitors */

static struct answer {
	int status;
	char head[8192], body[65536];
	bool whole; /* as long as its head says */
} got;

static SSL *dial(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { 10, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(client);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
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

/* Into `got`, up to the end of the connection or the text; all zero if no head came. */
static void hear(SSL *ssl, const char *until)
{
	static char heard[sizeof(got.head) + sizeof(got.body)];
	size_t len = 0;
	char *end;
	int n;

	*heard = '\0';
	while (!(until && strstr(heard, until)) &&
	       (n = SSL_read(ssl, heard + len, (int)(sizeof(heard) - 1 - len))) > 0) {
		len += (size_t)n;
		heard[len] = '\0';
	}
	end = strstr(heard, "\r\n\r\n");
	got = (struct answer){ 0 };
	if (!end)
		return;
	snprintf(got.head, sizeof(got.head), "%.*s", (int)(end + 2 - heard), heard);
	snprintf(got.body, sizeof(got.body), "%s", end + 4);
	got.status = (int)strtol(heard + strlen("HTTP/1.1 "), NULL, 10);
	got.whole = !strstr(got.head, "Transfer-Encoding: chunked") ||
		    strstr(got.body, "\r\n0\r\n\r\n") || strncmp(got.body, "0\r\n", 3) == 0;
}

static SSL *ask_for(const char *line, const char *headers, const char *body)
{
	SSL *ssl = dial();
	char *text =
		body ? xasprintf("%s HTTP/1.1\r\nHost: node:9443\r\nConnection: close\r\n%s"
				 "Content-Length: %zu\r\n\r\n%s",
				 line, headers, strlen(body), body)
		     : xasprintf("%s HTTP/1.1\r\nHost: node:9443\r\nConnection: close\r\n%s\r\n",
				 line, headers);

	assert_true(SSL_write(ssl, text, (int)strlen(text)) > 0);
	free(text);
	return ssl;
}

static int status_of(const char *line, const char *headers, const char *body)
{
	SSL *ssl = ask_for(line, headers, body);

	hear(ssl, NULL);
	hang_up(ssl);
	return got.status;
}

static int visit(const char *path, const char *headers)
{
	char *line = xasprintf("GET %s", path);
	int status = status_of(line, headers, NULL);

	free(line);
	return status;
}

/* The headers of somebody who is logged in; the caller's. */
static char *log_in(const char *name, const char *password)
{
	char *body = xasprintf("{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
	const char *cookie, *csrf;
	char *headers;

	assert_int_equal(status_of("POST /api/v1/login", POST_JSON, body), 200);
	free(body);
	cookie = strstr(got.head, "Set-Cookie: ");
	csrf = strstr(got.body, "\"csrf\":\"");
	assert_true(cookie && csrf);
	cookie = cookie ? cookie + strlen("Set-Cookie: ") : "";
	csrf = csrf ? csrf + strlen("\"csrf\":\"") : "";
	headers = xasprintf("Cookie: a=b; %.*s\r\nX-Sallyport-CSRF: %.*s\r\n",
			    (int)strcspn(cookie, ";"), cookie, (int)strcspn(csrf, "\""), csrf);
	return headers;
}

static void without_a_session_there_is_the_page_and_the_login(void **state)
{
	static const char *const closed[] = { "session",    "status",	     "alarms",
					      "routes",	    "notifications", "home-servers",
					      "streams",    "domains",	     "certificates",
					      "accounts",   "settings",	     "doctor",
					      "diag",	    "why/x",	     "log",
					      "series",	    "live",	     "diag/bundle",
					      "captures/x", "openapi.json",  "nothing" };

	for (size_t i = 0; i < nitems(closed); i++) {
		char *path = xasprintf("/api/v1/%s", closed[i]);

		assert_int_equal(visit(path, ""), 401);
		assert_int_equal(visit(path, "Cookie: __Host-sallyport=AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
					     "AAAAAAAAAAAAAAA\r\n"),
				 401);
		free(path);
	}
	assert_int_equal(status_of("POST /api/v1/command", "", "{\"command\":[\"status\"]}"), 401);
	assert_int_equal(status_of("POST /api/v1/logout", "", "{}"), 401);
	assert_int_equal(visit("/metrics", ""), 401);
	assert_int_equal(visit("/nothing", ""), 404);
	assert_int_equal(status_of("PUT /api/v1/status", "", "{}"), 405);
	assert_int_equal(status_of("POST /", "", "{}"), 405);
}

static void the_page_is_known_by_its_tag(void **state)
{
	assert_int_equal(visit("/", "Accept-Encoding: br, gzip;q=0.5\r\n"), 200);
	assert_string_equal(got.body, "page");
	assert_non_null(strstr(got.head, "Content-Encoding: gzip\r\n"));
	assert_non_null(strstr(got.head, "ETag: \"v1\"\r\n"));
	assert_non_null(strstr(got.head, "Content-Security-Policy: default-src 'none'"));
	assert_int_equal(visit("/", "Accept-Encoding: gzip\r\nIf-None-Match: \"v0\", \"v1\"\r\n"),
			 304);
	assert_string_equal(got.body, "");
	assert_int_equal(visit("/", ""), 406);
}

static void a_login_that_cannot_be_read_is_told_so(void **state)
{
	static const char long_name[] = "{\"name\":\"" TOO_LONG "\",\"password\":\"x\"}";
	static const char *const bodies[] = { "",
					      "{",
					      "[]",
					      "{}",
					      "{\"name\":\"admin\"}",
					      "{\"name\":\"admin\",\"password\":1}",
					      "{\"name\":\"admin\",\"password\":\"x\",\"more\":1}",
					      "{\"name\":\"a\",\"name\":\"b\",\"password\":\"x\"}",
					      long_name };

	for (size_t i = 0; i < nitems(bodies); i++)
		assert_int_equal(status_of("POST /api/v1/login", POST_JSON, bodies[i]), 400);
}

/* 30 KB: more than a log-in ever has, of values that take a hundred times as much in memory. */
static void what_strangers_send_is_short(void **state)
{
	size_t count = 10000;
	char *headers = log_in("vera", PASSWORD), *body;
	struct buffer text = { 0 };

	buffer_append_text(&text, "{\"command\":[\"status\"");
	for (size_t i = 0; i < count; i++)
		buffer_append_text(&text, ",\"\"");
	buffer_append_text(&text, "]}");
	body = buffer_take_text(&text);
	assert_int_equal(status_of("POST /api/v1/login", POST_JSON, body), 413);
	assert_int_equal(status_of("POST /api/v1/welcome", POST_JSON, body), 413);
	assert_int_equal(status_of("POST /api/v1/command", POST_JSON, body), 413);
	assert_int_equal(status_of("POST /api/v1/command", headers, body), 200);
	assert_int_equal(status_of("POST /api/v1/password", headers, body), 413);
	free(headers);
	free(body);
}

static void a_session_is_a_cookie_that_no_script_reads(void **state)
{
	char *headers = log_in("admin", PASSWORD);

	assert_non_null(strstr(got.head, "; Path=/; Secure; HttpOnly; SameSite=Strict\r\n"));
	assert_non_null(strstr(got.head, "Cache-Control: no-store\r\n"));
	assert_int_equal(visit("/api/v1/session", headers), 200);
	assert_non_null(strstr(got.body, "\"name\":\"admin\",\"access\":\"admin\""));
	assert_non_null(strstr(got.body, "\"node\":{\"name\":\"edge-a\",\"role\":\"edge\"}"));
	assert_int_equal(status_of("POST /api/v1/logout", headers, "{}"), 204);
	assert_non_null(strstr(got.head, "Max-Age=0"));
	assert_int_equal(visit("/api/v1/session", headers), 401);
	free(headers);
}

static void what_another_site_sends_is_refused(void **state)
{
	static const struct {
		const char *header;
		int status;
	} rows[] = {
		{ "Origin: https://node:9443\r\nSec-Fetch-Site: same-origin\r\n", 200 },
		{ "Origin: https://node:9444\r\n", 403 },
		{ "Origin: http://node:9443\r\n", 403 },
		{ "Origin: null\r\n", 403 },
		{ "Sec-Fetch-Site: cross-site\r\n", 403 },
		{ "Sec-Fetch-Site: same-site\r\n", 403 },
	};
	char *headers = log_in("admin", PASSWORD), *all;
	char *end = strstr(headers, "X-Sallyport-CSRF");

	for (size_t i = 0; i < nitems(rows); i++) {
		all = xasprintf("%s%s", headers, rows[i].header);
		assert_int_equal(status_of("POST /api/v1/command", all,
					   "{\"command\":[\"why\",\"a.example\"]}"),
				 rows[i].status);
		free(all);
	}
	end[strlen("X-Sallyport-CSRF: ") + 3] ^= 1;
	assert_int_equal(status_of("POST /api/v1/command", headers, "{\"command\":[\"status\"]}"),
			 403);
	*end = '\0';
	assert_int_equal(status_of("POST /api/v1/command", headers, "{\"command\":[\"status\"]}"),
			 403);
	assert_int_equal(status_of("POST /api/v1/logout", headers, "{}"), 403);
	free(headers);
}

static void paths_are_commands(void **state)
{
	static const struct {
		const char *path;
		int status;
		const char *body;
	} rows[] = {
		{ "why/a.example", 200, "{\"domain\":\"a.example\"}" },
		{ "why/b%C3%BCcher.example", 200,
		  "{\"domain\":\"b\xc3\xbc"
		  "cher.example\"}" },
		{ "why/bad%20example", 503, "{\"error\":\"that is no domain\"}" },
		{ "why/%", 400, NULL },
		{ "why/", 404, NULL },
		{ "why/a/b", 404, NULL },
		{ "doctor", 200, "{\"verdict\":\"1 finding\"}" },
		{ "settings", 503, "{\"error\":\"control is not running\"}" },
		{ "captures/none.pcapng", 503, "{\"error\":\"there is no such capture\"}" },
		{ "captures/..%2Fx", 400, NULL },
		{ "captures/a%22b", 400, NULL },
		{ "log?last=x", 400, NULL },
		{ "log?level=loud", 400, NULL },
		{ "series?minutes=0", 400, NULL },
		{ "series?minutes=1", 200, NULL },
		{ "openapi.json", 200, NULL },
		{ "statuses", 404, NULL },
	};
	char *headers = log_in("admin", PASSWORD);

	for (size_t i = 0; i < nitems(rows); i++) {
		char *path = xasprintf("/api/v1/%s", rows[i].path);

		if (visit(path, headers) != rows[i].status ||
		    (rows[i].body && strcmp(got.body, rows[i].body) != 0))
			fail_msg("%s: %d %s", path, got.status, got.body);
		free(path);
	}
	free(headers);
}

static void files_come_decoded_and_broken_ones_break(void **state)
{
	char *headers = log_in("admin", PASSWORD);

	assert_int_equal(visit("/api/v1/diag/bundle", headers), 200);
	assert_true(got.whole);
	assert_non_null(strstr(got.head, "Content-Type: application/gzip\r\n"));
	assert_non_null(strstr(got.head, "attachment; filename=\"diagnostic.tar.gz\""));
	assert_string_equal(got.body, "3\r\nfoo\r\n4\r\nbar.\r\n0\r\n\r\n");
	visit("/api/v1/captures/half.pcapng", headers);
	assert_false(got.whole);
	free(headers);
}

static void commands_answer_as_over_the_control_socket(void **state)
{
	static const struct {
		const char *command;
		int status;
		const char *body;
	} rows[] = {
		{ "\"why\",\"a.example\"", 200,
		  "{\"status\":0,\"text\":\"\",\"data\":{\"domain\":\"a.example\"}}\n" },
		{ "\"why\",\"bad example\"", 200,
		  "{\"status\":1,\"text\":\"that is no domain\"}\n" },
		{ "\"nothing\"", 200, "{\"status\":2,\"text\":\"no such command\"}\n" },
		{ "\"diag\",\"bundle\",\"x\"", 400, NULL },
		{ "\"capture\",\"get\",\"x\",\"y\"", 400, NULL },
		{ "", 400, NULL },
		{ "1", 400, NULL },
	};
	char *headers = log_in("admin", PASSWORD);

	for (size_t i = 0; i < nitems(rows); i++) {
		char *body = xasprintf("{\"command\":[%s]}", rows[i].command);

		if (status_of("POST /api/v1/command", headers, body) != rows[i].status ||
		    (rows[i].body && strcmp(got.body, rows[i].body) != 0))
			fail_msg("%s: %d %s", body, got.status, got.body);
		free(body);
	}
	assert_int_equal(status_of("POST /api/v1/command", headers,
				   "{\"command\":[\"trace\",\"a.example\"]}"),
			 200);
	assert_non_null(strstr(got.head, "Content-Type: application/x-ndjson\r\n"));
	assert_non_null(
		strstr(got.body, "{\"more\":true,\"text\":\"one\",\"data\":{\"seq\":1}}\n"));
	assert_non_null(strstr(got.body, "{\"status\":0,\"text\":\"that was all\"}\n"));
	assert_true(got.whole);
	free(headers);
}

static void viewers_look_and_no_more(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "why/a.example", 200 }, { "series", 200 },     { "status", 200 },
		     { "doctor", 403 },	       { "settings", 403 },   { "accounts", 403 },
		     { "log", 403 },	       { "live?log=1", 403 }, { "diag/bundle", 403 },
		     { "captures/x", 403 } };
	char *headers = log_in("vera", PASSWORD);

	for (size_t i = 0; i < nitems(rows); i++) {
		char *path = xasprintf("/api/v1/%s", rows[i].path);

		if (visit(path, headers) != rows[i].status)
			fail_msg("%s: %d %s", path, got.status, got.body);
		free(path);
	}
	assert_int_equal(status_of("POST /api/v1/command", headers,
				   "{\"command\":[\"config\",\"set\",\"limits.sessions\",\"1\"]}"),
			 403);
	assert_int_equal(status_of("POST /api/v1/command", headers,
				   "{\"command\":[\"retry\",\"a.example\"]}"),
			 403);
	free(headers);
}

static void what_people_write_is_for_administrators(void **state)
{
	char *admin = log_in("admin", PASSWORD), *otto = log_in("otto", PASSWORD);

	assert_int_equal(visit("/api/v1/log", admin), 200);
	assert_non_null(strstr(got.body, "public"));
	assert_non_null(strstr(got.body, "private"));
	assert_int_equal(visit("/api/v1/log", otto), 200);
	assert_non_null(strstr(got.body, "public"));
	assert_null(strstr(got.body, "private"));
	free(admin);
	free(otto);
}

static void metrics_want_their_token_which_opens_nothing_else(void **state)
{
	static const char right[] = "Authorization: Bearer " TOKEN "\r\n";

	assert_int_equal(visit("/metrics", right), 200);
	assert_non_null(strstr(got.head, "Content-Type: application/openmetrics-text;"));
	assert_non_null(strstr(got.body, "# EOF\n"));
	assert_int_equal(visit("/api/v1/status", right), 401);
	assert_int_equal(visit("/metrics", "Authorization: Bearer " TOKEN "x\r\n"), 401);
	assert_int_equal(visit("/metrics", "Authorization: Basic " TOKEN "\r\n"), 401);
	for (int i = 0; i < 5; i++)
		visit("/metrics", "Authorization: Bearer guess\r\n");
	assert_int_equal(visit("/metrics", "Authorization: Bearer guess\r\n"), 429);
	assert_non_null(strstr(got.head, "Retry-After: "));
}

static void the_status_is_told_live_until_the_session_ends(void **state)
{
	char *headers = log_in("vera", PASSWORD);
	SSL *ssl = ask_for("GET /api/v1/live", headers, NULL);

	hear(ssl, "event: alarms\n");
	assert_int_equal(got.status, 200);
	assert_non_null(strstr(got.head, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(got.body, "event: status\ndata: {"));
	assert_null(strstr(got.body, "\"streams\":"));
	assert_int_equal(status_of("POST /api/v1/logout", headers, "{}"), 204);
	for (char bytes[4096]; SSL_read(ssl, bytes, sizeof(bytes)) > 0;)
		;
	hang_up(ssl);
	free(headers);
}

static void a_command_that_streams_ends_with_its_session(void **state)
{
	char *headers = log_in("admin", PASSWORD);
	SSL *ssl = ask_for("POST /api/v1/command", headers,
			   "{\"command\":[\"trace\",\"endless.example\"]}");
	char bytes[4096];

	hear(ssl, "\"seq\":2");
	assert_int_equal(got.status, 200);
	assert_int_equal(status_of("POST /api/v1/logout", headers, "{}"), 204);
	assert_true(SSL_read(ssl, bytes, sizeof(bytes)) <= 0); /* no answer that would be its end */
	assert_int_equal(recv(SSL_get_fd(ssl), bytes, 1, 0), 0);
	hang_up(ssl);
	free(headers);
}

static void an_account_has_so_many_requests_open_and_others_go_on(void **state)
{
	SSL *open[20];
	char *headers = log_in("admin", PASSWORD), *again = log_in("admin", PASSWORD), *others;
	size_t count = 0;

	do {
		assert_true(count < nitems(open));
		open[count] = ask_for("POST /api/v1/command", count % 2 ? headers : again,
				      "{\"command\":[\"trace\",\"endless.example\"]}");
		hear(open[count], "}");
	} while (got.status == 200 && ++count);
	assert_int_equal(got.status, 429);
	assert_int_equal(count, 16);
	others = log_in("vera", PASSWORD);
	assert_int_equal(visit("/api/v1/why/a.example", others), 200);
	for (size_t i = 0; i <= count; i++)
		hang_up(open[i]);
	free(headers);
	free(again);
	free(others);
}

static void who_changes_his_password_stays_and_others_of_the_account_go(void **state)
{
	char *mine = log_in("vera", PASSWORD), *other = log_in("vera", PASSWORD);

	assert_int_equal(status_of("POST /api/v1/password", mine,
				   "{\"old\":\"wrong\",\"new\":\"another password\"}"),
			 403);
	assert_int_equal(status_of("POST /api/v1/password", mine,
				   "{\"old\":\"" PASSWORD "\",\"new\":\"short\"}"),
			 400);
	assert_int_equal(status_of("POST /api/v1/password", mine,
				   "{\"old\":\"" PASSWORD "\",\"new\":\"another password\"}"),
			 204);
	assert_int_equal(visit("/api/v1/session", mine), 200);
	assert_int_equal(visit("/api/v1/session", other), 401);
	free(mine);
	free(other);
	free(log_in("vera", "another password"));
}

#define IN_LINE (ACCOUNTS_WAITING_MAX + 8)

static SSL *begin(const char *path, const char *body)
{
	SSL *ssl = dial();
	char *text = xasprintf("POST /api/v1/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			       "Content-Length: %zu\r\n\r\n%s",
			       path, strlen(body), body);

	/* all but its last byte, which the caller sends */
	assert_true(SSL_write(ssl, text, (int)strlen(text) - 1) > 0);
	free(text);
	return ssl;
}

static int end(SSL *ssl)
{
	hear(ssl, NULL);
	hang_up(ssl);
	return got.status;
}

/* What comes of a link that is used among log-ins that fill the line, as which of them; `body` is
 * what it was used with. Who is heard first is the server's. */
static int use_late(const char *headers, size_t place, char **body)
{
	static const char login[] = "{\"name\":\"admin\",\"password\":\"" PASSWORD "\"}";
	SSL *line[IN_LINE], *late;
	const char *token;
	int status;

	assert_int_equal(status_of("POST /api/v1/command", headers,
				   "{\"command\":[\"admin\",\"link\",\"vera\"]}"),
			 200);
	token = strstr(got.body, "/#/welcome/");
	assert_non_null(token);
	*body = xasprintf("{\"token\":\"%.22s\",\"password\":\"" PASSWORD "\"}",
			  token + strlen("/#/welcome/"));
	for (size_t i = 0; i < nitems(line); i++)
		line[i] = begin("login", login);
	late = begin("welcome", *body);
	for (size_t i = nitems(line); i--;) {
		if (i == place)
			SSL_write(late, "}", 1);
		SSL_write(line[i], "}", 1);
	}
	status = end(late);
	for (size_t i = 0; i < nitems(line); i++)
		end(line[i]);
	return status;
}

/* A link that somebody else's log-ins kept from being used is good still. */
static void a_link_is_not_void_for_being_late(void **state)
{
	char *headers = log_in("admin", PASSWORD), *body;
	size_t place = 0;

	while (use_late(headers, place, &body) != 429) {
		free(body);
		assert_true(++place < IN_LINE);
	}
	assert_int_equal(status_of("POST /api/v1/welcome", "", body), 200);
	assert_int_equal(status_of("POST /api/v1/welcome", "", body), 403);
	free(headers);
	free(body);
}

/* The last: it makes this address wait. */
static void guesses_are_slowed_down_whoever_they_are_about(void **state)
{
	bool slow = false;

	for (int i = 0; i < 6 && !slow; i++) {
		char *body = xasprintf("{\"name\":\"nobody%d\",\"password\":\"x\"}", i);

		slow = status_of("POST /api/v1/login", "", body) == 429;
		assert_true(slow || got.status == 401);
		free(body);
	}
	assert_true(slow);
	assert_non_null(strstr(got.head, "Retry-After: "));
	assert_int_equal(status_of("POST /api/v1/login", "",
				   "{\"name\":\"admin\",\"password\":\"" PASSWORD "\"}"),
			 429);
	assert_int_equal(status_of("POST /api/v1/welcome", "",
				   "{\"token\":\"x\",\"password\":\"" PASSWORD "\"}"),
			 429);
}

static int set_up(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	signal(SIGPIPE, SIG_IGN);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!accounts_prepare() || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	port = ntohs(at.sin_port);
	node_pid = fork();
	if (node_pid == 0) {
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

	kill(node_pid, SIGTERM);
	waitpid(node_pid, &status, 0);
	SSL_CTX_free(client);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_session_there_is_the_page_and_the_login),
		cmocka_unit_test(the_page_is_known_by_its_tag),
		cmocka_unit_test(a_login_that_cannot_be_read_is_told_so),
		cmocka_unit_test(what_strangers_send_is_short),
		cmocka_unit_test(a_session_is_a_cookie_that_no_script_reads),
		cmocka_unit_test(what_another_site_sends_is_refused),
		cmocka_unit_test(paths_are_commands),
		cmocka_unit_test(files_come_decoded_and_broken_ones_break),
		cmocka_unit_test(commands_answer_as_over_the_control_socket),
		cmocka_unit_test(viewers_look_and_no_more),
		cmocka_unit_test(what_people_write_is_for_administrators),
		cmocka_unit_test(metrics_want_their_token_which_opens_nothing_else),
		cmocka_unit_test(the_status_is_told_live_until_the_session_ends),
		cmocka_unit_test(a_command_that_streams_ends_with_its_session),
		cmocka_unit_test(an_account_has_so_many_requests_open_and_others_go_on),
		cmocka_unit_test(who_changes_his_password_stays_and_others_of_the_account_go),
		cmocka_unit_test(a_link_is_not_void_for_being_late),
		cmocka_unit_test(guesses_are_slowed_down_whoever_they_are_about),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
