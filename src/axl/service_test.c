#include "axl/service.h"

#include "base/alloc.h"
#include "ipc/sandbox.h"
#include "net/conn.h"
#include "net/https_client.h"
#include "store/identity.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ONE "055c13d9-943d-459d-a3c6-af1d1176936d"
#define ENVELOPE(version, operation, sql)                                                          \
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "           \
	"xmlns:ns=\"http://www.cisco.com/AXL/API/" version "\"><soapenv:Header/><soapenv:Body>"    \
	"<ns:" operation " sequence=\"5\"><sql>" sql "</sql></ns:" operation ">"                   \
	"</soapenv:Body></soapenv:Envelope>"
#define SELECT ENVELOPE("14.0", "executeSQLQuery", "select * from xmpps2snodes")

static char *certificate, *private_key;
static struct loop *loop;
static struct axl_service *service;
static struct https_client *client;
static uint16_t port;

/* Control: stores and answers, later or never. */
static struct {
	bool silent, refuses;
	uint64_t tag;
	char *words; /* of the last request, with bars */
	struct timer timer;
} control;

/* The answers, by the tag of their request. */
static struct {
	long status;
	enum https_end end;
	char *body;
	unsigned took_ms;
} answers[64];
static size_t answered, expected;

static void on_control(struct timer *timer)
{
	axl_service_answer(service, control.tag, !control.refuses,
			   control.refuses ? "the disk is full" : "");
}

static void ask(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct buffer out = { 0 };

	buffer_append_text(&out, author);
	for (size_t i = 0; words[i]; i++)
		buffer_printf(&out, "|%s", words[i]);
	free(control.words);
	control.words = buffer_take_text(&out);
	control.tag = tag;
	control.timer.fire = on_control;
	if (!control.silent)
		loop_arm(loop, &control.timer, 1);
}

static void on_answer(void *arg, uint64_t tag, const struct https_answer *answer)
{
	answers[tag].status = answer->end == HTTPS_ANSWERED ? answer->status : 0;
	answers[tag].end = answer->end;
	answers[tag].took_ms = answer->took_ms;
	free(answers[tag].body);
	answers[tag].body = xstrndup(answer->body.data ? answer->body.data : "", answer->body.len);
	if (++answered == expected)
		loop_stop(loop);
}

static void apply(const char *versions)
{
	struct buffer out = { 0 };
	struct snapshot *snapshot;
	const char *why = "";

	snapshot_begin(&out, 1, 1);
	snapshot_add_text(&out, "axl.certificate", certificate);
	snapshot_add_text(&out, "axl.private_key", private_key);
	snapshot_add(&out,
		     &(struct snapshot_record){ 4,
						{ slice_of("axl.users"), slice_of("core-a"),
						  slice_of("sesame:open"), slice_of("axl") } });
	snapshot_add(&out,
		     &(struct snapshot_record){ 4,
						{ slice_of("axl.users"), slice_of("clerk"),
						  slice_of("password"), slice_of("admin") } });
	snapshot_add(&out, &(struct snapshot_record){ 3,
						      { slice_of("xmpps2snodes"), slice_of(ONE),
							slice_of("cm-2_s2scp-1.edge-a") } });
	if (versions)
		snapshot_add_text(&out, "axl.versions", versions);
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	if (!snapshot || !axl_service_apply(service, snapshot, &why))
		fail_msg("%s", why);
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
}

static int set_up(void **state)
{
	struct conn_address at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	loop = loop_create();
	service = axl_service_create(&(struct axl_service_config){ loop, ask, NULL });
	assert_true(conn_address_parse(&at, "127.0.0.1", 0));
	assert_int_equal(bind(fd, (struct sockaddr *)&at.storage, at.len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at.storage, &at.len), 0);
	port = ntohs(((struct sockaddr_in *)&at.storage)->sin_port);
	axl_service_listen(service, fd);
	apply(NULL);
	client = https_client_create(loop, NULL);
	memset(&control, 0, sizeof(control));
	answered = expected = 0;
	return 0;
}

static int tear_down(void **state)
{
	https_client_destroy(&client);
	loop_disarm(loop, &control.timer);
	axl_service_destroy(&service);
	loop_destroy(&loop);
	free(control.words);
	for (size_t i = 0; i < nitems(answers); i++) {
		free(answers[i].body);
		answers[i].body = NULL;
	}
	return 0;
}

static void send_to(const char *path, const char *user, const char *password, const char *body)
{
	const struct https_request request = {
		.host = "127.0.0.1",
		.port = port,
		.path = path,
		.user = user,
		.password = password,
		.body = body ? slice_of(body) : (struct slice){ 0 },
		.verify = HTTPS_VERIFY_OFF,
		.timeout_ms = 10000,
	};

	https_client_send(client, &request, expected++, on_answer, NULL);
}

static void post(const char *body)
{
	send_to("/axl/", "core-a", "sesame:open", body);
}

static long ask_once(const char *path, const char *user, const char *password, const char *body)
{
	answered = expected = 0;
	send_to(path, user, password, body);
	loop_run(loop);
	return answers[0].status;
}

static void queries_are_answered_with_their_sequence(void **state)
{
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", SELECT), 200);
	assert_string_equal(
		answers[0].body,
		"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">"
		"<soapenv:Body><ns:executeSQLQueryResponse "
		"xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\" sequence=\"5\"><return><row>"
		"<pkid>" ONE "</pkid><cp_id>cm-2_s2scp-1.edge-a</cp_id></row></return>"
		"</ns:executeSQLQueryResponse></soapenv:Body></soapenv:Envelope>");
}

static void who_may_not_is_told_why(void **state)
{
	assert_int_equal(ask_once("/axl/", NULL, NULL, SELECT), 401);
	assert_int_equal(ask_once("/axl/", "core-a", "sesame", SELECT), 401);
	assert_int_equal(ask_once("/axl/", "core-b", "sesame:open", SELECT), 401);
	assert_int_equal(ask_once("/axl/", "", "", SELECT), 401);
	assert_int_equal(ask_once("/axl/", "clerk", "password", SELECT), 403);
	assert_non_null(strstr(answers[0].body, "Standard AXL API Access"));
}

static void a_browser_may_look_whether_it_works(void **state)
{
	assert_int_equal(ask_once("/axl", "core-a", "sesame:open", NULL), 200);
	assert_non_null(strstr(answers[0].body, "working"));
	assert_int_equal(ask_once("/axl/", NULL, NULL, NULL), 401);
	assert_int_equal(ask_once("/", "core-a", "sesame:open", NULL), 404);
}

static void only_some_schema_versions_are_served(void **state)
{
	static const struct {
		const char *body;
		long all, old;
	} rows[] = {
		{ ENVELOPE("14.0", "executeSQLQuery", "select 1"), 200, 599 },
		{ ENVELOPE("12.5", "executeSQLQuery", "select 1"), 200, 599 },
		{ ENVELOPE("11.5", "executeSQLQuery", "select 1"), 200, 599 },
		{ ENVELOPE("9.1", "executeSQLQuery", "select 1"), 200, 200 },
		{ ENVELOPE("10.0", "executeSQLQuery", "select 1"), 599, 599 },
		{ ENVELOPE("99.99", "executeSQLQuery", "select 1"), 599, 599 },
	};

	for (int old = 0; old < 2; old++) {
		apply(old ? "9.1" : NULL);
		for (size_t i = 0; i < nitems(rows); i++)
			assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", rows[i].body),
					 old ? rows[i].old : rows[i].all);
	}
}

static void mistakes_are_faults(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		{ "no xml", "syntax error" },
		{ ENVELOPE("14.0", "getUser", ""), "neither executeSQLQuery nor" },
		{ ENVELOPE("14.0", "executeSQLQuery", "select * from enduser"),
		  "<axlcode>-206</axlcode>" },
		{ ENVELOPE("14.0", "executeSQLQuery", "selec"), "<axlcode>-201</axlcode>" },
		{ ENVELOPE("14.0", "executeSQLQuery", "select x from xmpps2snodes"),
		  "<axlcode>-217</axlcode>" },
		{ ENVELOPE("14.0", "executeSQLQuery", "delete from xmpps2snodes"),
		  "<axlcode>-272</axlcode>" },
		{ ENVELOPE("14.0", "executeSQLUpdate",
			   "insert into xmpps2snodes values('" ONE "', 'x')"),
		  "<axlcode>-239</axlcode>" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", rows[i].body), 500);
		if (!strstr(answers[0].body, rows[i].says))
			fail_msg("%s: %s", rows[i].body, answers[0].body);
	}
	assert_null(control.words);
}

#define DELETE ENVELOPE("14.0", "executeSQLUpdate", "delete from xmpps2snodes")

static void a_change_is_stored_before_it_is_answered(void **state)
{
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", DELETE), 200);
	assert_non_null(strstr(answers[0].body, "<rowsUpdated>1</rowsUpdated>"));
	assert_string_equal(control.words, "axl core-a|rows-set");
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", SELECT), 200);
	assert_non_null(strstr(answers[0].body, "<return></return>"));
}

static void what_cannot_be_stored_did_not_happen(void **state)
{
	control.refuses = true;
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", DELETE), 500);
	assert_non_null(strstr(answers[0].body, "the disk is full"));
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", SELECT), 200);
	assert_non_null(strstr(answers[0].body, ONE));
}

static void changes_come_one_after_the_other(void **state)
{
	for (int i = 0; i < 3; i++)
		post(ENVELOPE("14.0", "executeSQLUpdate",
			      "insert into xmpps2snodes values(newid(), 'cm.x')"));
	loop_run(loop);
	for (int i = 0; i < 3; i++)
		assert_int_equal(answers[i].status, 200);
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open",
				  ENVELOPE("14.0", "executeSQLQuery",
					   "select count(*) as n from xmpps2snodes")),
			 200);
	assert_non_null(strstr(answers[0].body, "<n>4</n>"));
}

static void more_than_can_wait_are_told_to_come_again(void **state)
{
	unsigned busy = 0;

	control.silent = true;
	for (int i = 0; i < AXL_WAITING_MAX + 3; i++)
		post(DELETE);
	while (answered < 3)
		loop_run(loop), expected = 3;
	for (int i = 0; i < AXL_WAITING_MAX + 3; i++)
		busy += answers[i].status == 503;
	assert_int_equal(busy, 3);
}

static void who_guesses_passwords_waits(void **state)
{
	unsigned slow = 0;

	for (int i = 0; i < 12; i++) {
		assert_int_equal(ask_once("/axl/", "core-a", "guess", NULL), 401);
		slow += answers[0].took_ms >= 900;
	}
	assert_int_equal(slow, 2);
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", NULL), 200);
	assert_true(answers[0].took_ms < 900);
}

static void on_sql(void *arg, uint64_t session, bool done, const char *text)
{
	char **kept = arg;

	assert_int_equal(session, 7);
	*kept = xasprintf("%d %s", done, text);
	loop_stop(loop);
}

static void people_see_the_table(void **state)
{
	char *text = NULL;

	axl_service_run(service, "root", "select * from xmpps2snodes", 7, on_sql, &text);
	assert_string_equal(text, "1 pkid                                 cp_id\n"
				  "==================================== ===================\n" ONE
				  " cm-2_s2scp-1.edge-a\n");
	free(text);
	axl_service_run(service, "root", "select * from enduser", 7, on_sql, &text);
	assert_string_equal(text, "0 -206: no such table: enduser");
	free(text);
	text = NULL;
	axl_service_run(service, "root", "delete from xmpps2snodes", 7, on_sql, &text);
	if (!text)
		loop_run(loop);
	assert_string_equal(text, "1 Rows: 1\n");
	assert_string_equal(control.words, "root|rows-set");
	free(text);
}

static void on_moment(struct timer *timer)
{
	loop_stop(loop);
}

static void turn_for(unsigned ms)
{
	struct timer moment = { .fire = on_moment };

	loop_arm(loop, &moment, ms);
	loop_run(loop);
	loop_disarm(loop, &moment);
}

static void a_client_that_leaves_is_not_missed(void **state)
{
	control.silent = true;
	post(DELETE);
	for (int i = 0; i < 100 && !control.tag; i++)
		turn_for(20);
	https_client_destroy(&client);
	turn_for(50);
	axl_service_answer(service, control.tag, true, "");
	client = https_client_create(loop, NULL);
	control.silent = false;
	assert_int_equal(ask_once("/axl/", "core-a", "sesame:open", SELECT), 200);
	assert_non_null(strstr(answers[0].body, "<return></return>"));
}

static void it_works_inside_of_the_sandbox(void **state)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		const char *why;

		event_reinit(loop_base(loop));
		if (!sandbox_enter(PROCESS_MANAGE, NULL, &why))
			_exit(2);
		if (ask_once("/axl/", "core-a", "sesame:open", SELECT) != 200)
			_exit(3);
		_exit(ask_once("/axl/", "core-a", "sesame:open", DELETE) == 200 ? 0 : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_are_answered_with_their_sequence),
		TEST(who_may_not_is_told_why),
		TEST(a_browser_may_look_whether_it_works),
		TEST(only_some_schema_versions_are_served),
		TEST(mistakes_are_faults),
		TEST(a_change_is_stored_before_it_is_answered),
		TEST(what_cannot_be_stored_did_not_happen),
		TEST(changes_come_one_after_the_other),
		TEST(more_than_can_wait_are_told_to_come_again),
		TEST(who_guesses_passwords_waits),
		TEST(people_see_the_table),
		TEST(a_client_that_leaves_is_not_missed),
		TEST(it_works_inside_of_the_sandbox),
	};
	int failed;

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	assert_true(https_prepare());
	assert_true(identity_make("home-a", &certificate, &private_key));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(certificate);
	free(private_key);
	return failed;
}
