/* Against an HTTPS server on loopback with a table of its own; it speaks AXL as published. */
#include "axl/client.h"

#include "base/alloc.h"
#include "net/https_test_server.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS_MAX 8
#define CP_ID_BYTES 80
#define LINES_BYTES 65536
#define PREFIX "cm-2_s2scp-1."

/* The home server: what it has and how it behaves; shared with its processes. */
static struct home {
	int status;	 /* instead of an answer; 0: none */
	char version[8]; /* the only one it takes */
	bool silent;
	char rows[ROWS_MAX][CP_ID_BYTES]; /* "": none */
	unsigned requests, changes;
} * home;

static struct https_test_server server;
static struct loop *loop;
static struct https_client *https;
static struct axl_client *client;
static int log_ends[2];
static char lines[LINES_BYTES]; /* logged so far */

/* What control was asked. */
static struct {
	unsigned count;
	uint64_t tag;
	char words[256];
	bool silent, refuses;
} control;

static struct settings {
	const char *host, *password, *verify, *pin, *trust, *secret_b;
	bool edge_a, edge_b, edge_c, no_server, paired; /* edge_c has the secret of edge-b */
	uint16_t port;
	const char *realms[4];
	int refresh_s, timeout_s;
} settings;

static struct {
	unsigned count;
	bool done;
	char text[1024];
} refreshed;

static void respond_with(char *response, size_t size, int status, const char *body)
{
	snprintf(response, size, "HTTP/1.1 %d Words\r\nContent-Length: %zu\r\n\r\n%s", status,
		 strlen(body), body);
}

/* The value between the quotes before the last ')' or at the end: 'cm-2_s2scp-1.edge-a'. */
static bool cp_id_of(const char *sql, char cp_id[CP_ID_BYTES])
{
	const char *at = strstr(sql, PREFIX);

	return at && sscanf(at, "%79[a-zA-Z0-9_.-]", cp_id) == 1;
}

static void change_table(const char *sql)
{
	char cp_id[CP_ID_BYTES];
	bool inserts = strstr(sql, "<sql>insert ") != NULL;

	if (!cp_id_of(sql, cp_id))
		return;
	home->changes++;
	for (size_t i = 0; i < ROWS_MAX; i++) {
		if (!inserts && strcmp(home->rows[i], cp_id) == 0)
			home->rows[i][0] = '\0';
		if (inserts && !home->rows[i][0]) {
			memcpy(home->rows[i], cp_id, sizeof(cp_id));
			return;
		}
	}
}

#define HEAD "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>"
#define TAIL "</e:Body></e:Envelope>"
#define AXL "xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\""

static void answer_sql(const char *request, char *response, size_t size)
{
	char body[4096] = HEAD "<ns:executeSQLQueryResponse " AXL "><return>";

	if (strstr(request, "executeSQLUpdate>")) {
		change_table(strstr(request, "<sql>"));
		respond_with(response, size, 200,
			     HEAD "<ns:executeSQLUpdateResponse " AXL "><return><rowsUpdated>1"
				  "</rowsUpdated></return></ns:executeSQLUpdateResponse>" TAIL);
		return;
	}
	for (size_t i = 0; i < ROWS_MAX; i++) {
		char row[160];

		if (!home->rows[i][0])
			continue;
		snprintf(row, sizeof(row), "<row><pkid>%zu</pkid><cp_id>%s</cp_id></row>", i,
			 home->rows[i]);
		strcat(body, row);
	}
	strcat(body, "</return></ns:executeSQLQueryResponse>" TAIL);
	respond_with(response, size, 200, body);
}

static void respond(void *arg, const char *request, char *response, size_t size)
{
	char version[64];

	home->requests++;
	snprintf(version, sizeof(version), "SOAPAction: \"CUCM:DB ver=%s ", home->version);
	if (home->silent)
		pause();
	if (strncmp(request, "POST /axl/ HTTP/1.1\r\n", 21) != 0)
		respond_with(response, size, 404, "");
	else if (!strstr(request, "Authorization: Basic YXhsOnNlY3JldDEyMw==\r\n"))
		respond_with(response, size, 401, "");
	else if (home->status)
		respond_with(response, size, home->status, "");
	else if (home->version[0] && !strstr(request, version))
		respond_with(response, size, 599, "");
	else
		answer_sql(request, response, size);
}

static void on_ask(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	control.count++;
	control.tag = tag;
	control.words[0] = '\0';
	for (; *words; words++) {
		strcat(control.words, *words);
		strcat(control.words, " ");
	}
}

static void add(struct buffer *out, const char *const *fields)
{
	struct snapshot_record record = { 0 };

	for (; fields[record.count]; record.count++)
		record.fields[record.count] = slice_of(fields[record.count]);
	snapshot_add(out, &record);
}
#define ADD(out, ...) add(out, (const char *const[]){ __VA_ARGS__, NULL })

static void apply(void)
{
	struct buffer bytes = { 0 };
	struct snapshot *snapshot;
	const char *why;
	char port[8];

	snapshot_begin(&bytes, 1, 1);
	snprintf(port, sizeof(port), "%u", settings.port);
	if (!settings.no_server)
		ADD(&bytes, "home_servers", "home-a", settings.host, port, "axl", settings.password,
		    settings.verify, settings.pin);
	ADD(&bytes, "nodes", "edge-a.example", "edge", "-", server.pin);
	ADD(&bytes, "nodes", "core-b", "core", "-", server.pin);
	if (settings.paired)
		ADD(&bytes, "nodes", "home-a", "home", "192.0.2.9:7400", server.pin);
	ADD(&bytes, "nodes", "edge-b", "edge", "-", server.pin);
	if (settings.edge_c) {
		ADD(&bytes, "nodes", "edge-c", "edge", "-", server.pin);
		ADD(&bytes, "edges", "edge-c", "3", "on", settings.secret_b);
	}
	ADD(&bytes, "edges", "edge-b", "2", settings.edge_b ? "on" : "off", settings.secret_b);
	ADD(&bytes, "edges", "edge-a.example", "1", settings.edge_a ? "on" : "off", "f1");
	for (size_t i = 0; settings.realms[i]; i++)
		snapshot_add_text(&bytes, "axl.realms", settings.realms[i]);
	if (settings.trust)
		snapshot_add_text(&bytes, "axl.trust", settings.trust);
	snapshot_add_int(&bytes, "axl.refresh", settings.refresh_s);
	snapshot_add_int(&bytes, "timeouts.axl", settings.timeout_s);
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	assert_non_null(snapshot);
	axl_client_apply(client, snapshot);
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
}

/* The record of home-a in the status, fields with | between. */
static const char *status(void)
{
	static char text[1024];
	struct buffer bytes = { 0 };
	struct snapshot_record record = { 0 };
	struct snapshot *snapshot;
	const char *why;
	size_t place = 0;

	text[0] = '\0';
	snapshot_begin(&bytes, 1, 1);
	axl_client_status(client, &bytes);
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	assert_non_null(snapshot);
	snapshot_each(snapshot, "home-server", &place, &record);
	for (size_t i = 3; i < record.count; i++) { /* not the name and the address */
		if (i == 7)
			continue; /* seconds */
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s|",
			 SLICE_ARGS(record.fields[i]));
	}
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
	return text;
}

static void read_log(void)
{
	size_t used = strlen(lines);
	ssize_t n = read(log_ends[0], lines + used, sizeof(lines) - 1 - used);

	if (n > 0)
		lines[used + (size_t)n] = '\0';
}

static unsigned logged(const char *needle)
{
	unsigned count = 0;

	read_log();
	for (const char *at = lines; (at = strstr(at, needle)); at++)
		count++;
	return count;
}

static void stop_loop(struct timer *timer)
{
	loop_stop(loop);
}

/* Runs the loop until it holds, or ten seconds are over. */
static void await(bool (*is)(void))
{
	struct timer tick = { .fire = stop_loop };
	uint64_t end_us = loop_clock_us() + 10000000;

	while (!is()) {
		if (loop_clock_us() > end_us)
			fail_msg("in vain: %s\n%s", status(), lines);
		loop_arm(loop, &tick, 5);
		loop_run(loop);
		loop_disarm(loop, &tick);
		read_log();
		if (control.tag && !control.silent) {
			uint64_t tag = control.tag;

			control.tag = 0;
			axl_client_answer(client, tag, !control.refuses, "no");
		}
	}
}

static bool is_ready(void)
{
	return strncmp(status(), "ready|", 6) == 0;
}

static bool has_failed(void)
{
	return strncmp(status(), "failed|", 7) == 0;
}

static bool was_refreshed(void)
{
	return refreshed.count > 0;
}

static bool has_row(const char *cp_id)
{
	for (size_t i = 0; i < ROWS_MAX; i++) {
		if (strcmp(home->rows[i], cp_id) == 0)
			return true;
	}
	return false;
}

static void on_refreshed(void *arg, uint64_t session, bool done, const char *text)
{
	assert_int_equal(session, 9);
	refreshed.count++;
	refreshed.done = done;
	snprintf(refreshed.text, sizeof(refreshed.text), "%s", text);
}

static const char *refresh(const char *name)
{
	memset(&refreshed, 0, sizeof(refreshed));
	axl_client_refresh(client, name, 9, on_refreshed, NULL);
	assert_int_equal(refreshed.count, 0);
	await(was_refreshed);
	assert_int_equal(refreshed.count, 1);
	return refreshed.text;
}

static int set_up(void **state)
{
	memset(home, 0, sizeof(*home));
	memset(&control, 0, sizeof(control));
	settings = (struct settings){ .host = "127.0.0.1",
				      .password = "secret123",
				      .verify = "pin",
				      .pin = server.pin,
				      .secret_b = "f2",
				      .edge_a = true,
				      .port = server.port,
				      .refresh_s = 300,
				      .timeout_s = 5 };
	read_log();
	lines[0] = '\0';
	loop = loop_create();
	https = https_client_create(loop, NULL);
	client = axl_client_create(
		&(struct axl_client_config){ .loop = loop, .https = https, .ask = on_ask });
	return 0;
}

static int tear_down(void **state)
{
	https_client_destroy(&https);
	axl_client_destroy(&client);
	loop_destroy(&loop);
	return 0;
}

static bool has_edge_a(void)
{
	return is_ready() && has_row(PREFIX "edge-a-example");
}

static void a_row_is_written_and_each_call_logged(void **state)
{
	char *sent = xasprintf("Module=\"network.axl\" Level=\"INFO\" Action=\"Send\" "
			       "URL=\"https://127.0.0.1:%u/axl/\" Function=\"executeSQLQuery\"\n",
			       server.port);
	char *received = xasprintf("Action=\"Receive\" URL=\"https://127.0.0.1:%u/axl/\" "
				   "Function=\"executeSQLUpdate\" Status=\"200\" Reason=\"None\"\n",
				   server.port);

	apply();
	await(has_edge_a);
	assert_int_equal(control.count, 1);
	assert_string_equal(control.words, "realms-written edge-a-example ");
	assert_string_equal(status(), "ready|well||14.0|" PREFIX "edge-a-example||");
	assert_true(logged(sent) >= 2);
	assert_int_equal(logged(received), 1);
	assert_int_equal(logged("CodeLocation=\"axl.synced\""), 1);
	assert_int_equal(logged("secret123"), 0);
	free(sent);
	free(received);
}

static void nothing_is_written_before_control_has_stored_the_realm(void **state)
{
	control.silent = true;
	apply();
	assert_string_equal(refresh(NULL), "home-a: table is as it should be, 0 rows\n");
	assert_int_equal(control.count, 1);
	assert_int_equal(home->changes, 0);
	control.silent = false;
	await(has_edge_a);
	assert_int_equal(home->changes, 1);
}

static bool was_refused(void)
{
	return is_ready() && strstr(lines, "realms cannot be stored: no") != NULL;
}

static void without_control_the_table_stays_as_it_is(void **state)
{
	control.refuses = true;
	apply();
	await(was_refused);
	assert_int_equal(home->changes, 0);
}

static bool is_clean(void)
{
	return is_ready() && !has_row(PREFIX "edge-a-example") && control.count == 1;
}

static void federation_off_removes_the_row_and_then_the_memory_of_it(void **state)
{
	strcpy(home->rows[0], PREFIX "edge-a-example");
	strcpy(home->rows[1], PREFIX "somebody");
	settings.realms[0] = "edge-a-example";
	settings.edge_a = false;
	apply();
	await(is_clean);
	assert_string_equal(control.words, "realms-written ");
	assert_true(has_row(PREFIX "somebody"));
	assert_string_equal(status(), "ready|well||14.0||" PREFIX "somebody|");
}

static bool is_forgotten(void)
{
	return control.count == 2 && is_ready();
}

static void a_row_is_gone_before_it_is_forgotten(void **state)
{
	apply();
	await(has_edge_a);
	settings.realms[0] = "edge-a-example";
	settings.edge_a = false;
	apply();
	assert_int_equal(control.count, 1); /* all were settled, with other settings */
	await(is_forgotten);
	assert_false(has_row(PREFIX "edge-a-example"));
	assert_string_equal(control.words, "realms-written ");
}

static bool is_swapped(void)
{
	return has_edge_a() && !has_row(PREFIX "old") && control.count == 2;
}

static void a_stale_row_goes_and_the_wanted_one_comes(void **state)
{
	strcpy(home->rows[0], PREFIX "old");
	settings.realms[0] = "old";
	apply();
	await(is_swapped);
	assert_string_equal(control.words, "realms-written edge-a-example ");
}

static void an_edge_with_another_secret_is_left_out(void **state)
{
	settings.edge_b = true;
	apply();
	await(has_edge_a);
	assert_false(has_row(PREFIX "edge-b"));
	settings.realms[0] = "edge-a-example";
	settings.secret_b = "f1";
	apply();
	await(is_ready);
	while (!has_row(PREFIX "edge-b"))
		refresh(NULL);
	assert_string_equal(control.words, "realms-written edge-a-example edge-b ");
}

static bool has_b_and_c(void)
{
	return is_ready() && has_row(PREFIX "edge-b") && has_row(PREFIX "edge-c");
}

static void one_edge_does_not_outvote_the_others(void **state)
{
	settings.edge_b = settings.edge_c = true;
	apply();
	await(has_b_and_c);
	assert_false(has_row(PREFIX "edge-a-example"));
}

static void statuses_have_words_and_the_right_password_helps_at_once(void **state)
{
	static const struct {
		int status;
		const char *trouble, *line;
	} rows[] = {
		{ 403, "role", "Standard AXL API Access" },
		{ 503, "busy", "too many changes waiting (503)" },
		{ 599, "version", "none of the AXL schema versions" },
		{ 404, "gibberish", "does not speak AXL" },
	};

	settings.password = "wrong";
	apply();
	await(has_failed);
	assert_int_equal(logged("Function=\"executeSQLQuery\" Status=\"401\" Reason=\"None\"\n"),
			 1);
	assert_non_null(strstr(refresh("home-a"),
			       "home-a: failed: the user name or password is wrong (401). Fix: "));
	assert_false(refreshed.done);
	assert_int_equal(logged("CodeLocation=\"axl.failed\""), 1); /* once per change */
	settings.password = "secret123";
	apply();
	await(has_edge_a);
	assert_string_equal(refresh(NULL), "home-a: table is as it should be, 1 row\n");
	assert_true(refreshed.done);
	for (size_t i = 0; i < nitems(rows); i++) {
		home->status = rows[i].status;
		if (!strstr(refresh("home-a"), rows[i].line))
			fail_msg("%d: %s", rows[i].status, refreshed.text);
		assert_non_null(strstr(status(), rows[i].trouble));
		home->status = 0;
		assert_string_equal(refresh("home-a"), "home-a: table is as it should be, 1 row\n");
	}
	assert_string_equal(refresh("nobody"), "home_servers has no nobody\n");
}

static bool was_asked_twice(void)
{
	return has_failed() && home->requests == 2;
}

static void a_paired_node_may_have_our_account_a_moment_later(void **state)
{
	settings.paired = true;
	home->status = 401;
	apply();
	await(was_asked_twice);
	home->status = 0;
	await(has_edge_a);
}

static void on_second(struct timer *timer)
{
	loop_stop(loop);
}

static void who_is_no_node_of_ours_is_not_asked_again_after_a_401(void **state)
{
	struct timer second = { .fire = on_second };

	home->status = 401;
	apply();
	await(has_failed);
	loop_arm(loop, &second, 1500);
	loop_run(loop);
	assert_int_equal(home->requests, 1);
}

static void an_old_server_gets_an_old_version(void **state)
{
	strcpy(home->version, "11.5");
	apply();
	await(has_edge_a);
	assert_string_equal(status(), "ready|well||11.5|" PREFIX "edge-a-example||");
}

static void expect_trouble(const char *trouble, const char *words)
{
	apply();
	await(has_failed);
	if (!strstr(status(), trouble) || !strstr(status(), words))
		fail_msg("%s", status());
	assert_int_equal(logged("CodeLocation=\"axl.failed\""), 1);
	assert_int_equal(home->changes, 0);
}

static void a_wrong_pin_is_named(void **state)
{
	settings.pin = "0123456789012345678901234567890123456789012345678901234567890123";
	expect_trouble("failed|tls|", "public key does not match");
	if (logged("Reason=\"SSL: public key does not match pinned public key") != 1)
		fail_msg("%s", lines);
	assert_int_equal(home->requests, 0);
	settings.pin = server.pin;
	apply();
	await(has_edge_a);
	assert_int_equal(logged("CodeLocation=\"axl.synced\""), 1);
}

static void an_authority_vouches_for_the_right_name_only(void **state)
{
	settings.verify = "ca";
	settings.trust = server.certificate;
	expect_trouble("failed|tls|", "127.0.0.1"); /* the certificate names localhost */
}

static void a_port_without_listener_is_refused(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	settings.port = ntohs(at.sin_port);
	expect_trouble("failed|refused|", "Connection refused");
	close(fd);
}

static void silence_is_a_timeout(void **state)
{
	home->silent = true;
	settings.timeout_s = 1;
	expect_trouble("failed|timeout|", "timed out");
}

static void a_server_that_is_removed_is_left_alone(void **state)
{
	home->silent = true;
	memset(&refreshed, 0, sizeof(refreshed));
	apply();
	axl_client_refresh(client, NULL, 9, on_refreshed, NULL);
	settings.no_server = true;
	apply();
	await(was_refreshed);
	assert_string_equal(refreshed.text, "home-a: was removed from home_servers\n");
	assert_string_equal(refresh(NULL), "home_servers is empty\n");
	assert_string_equal(status(), "");
}

static int start(void **state)
{
	home = mmap(NULL, sizeof(*home), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (home == MAP_FAILED || pipe2(log_ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	log_to(log_ends[1]);
	https_test_server_start(&server, "localhost", respond, NULL);
	return https_prepare() ? 0 : -1;
}

static int stop(void **state)
{
	https_test_server_stop(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_row_is_written_and_each_call_logged),
		TEST(nothing_is_written_before_control_has_stored_the_realm),
		TEST(without_control_the_table_stays_as_it_is),
		TEST(federation_off_removes_the_row_and_then_the_memory_of_it),
		TEST(a_row_is_gone_before_it_is_forgotten),
		TEST(a_stale_row_goes_and_the_wanted_one_comes),
		TEST(an_edge_with_another_secret_is_left_out),
		TEST(one_edge_does_not_outvote_the_others),
		TEST(statuses_have_words_and_the_right_password_helps_at_once),
		TEST(a_paired_node_may_have_our_account_a_moment_later),
		TEST(who_is_no_node_of_ours_is_not_asked_again_after_a_401),
		TEST(an_old_server_gets_an_old_version),
		TEST(a_wrong_pin_is_named),
		TEST(an_authority_vouches_for_the_right_name_only),
		TEST(a_port_without_listener_is_refused),
		TEST(silence_is_a_timeout),
		TEST(a_server_that_is_removed_is_left_alone),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, start, stop);
}
