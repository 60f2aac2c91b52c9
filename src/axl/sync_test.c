#include "axl/sync.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD                                                                                       \
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">"           \
	"<soapenv:Body>"
#define TAIL "</soapenv:Body></soapenv:Envelope>"
#define SELECT "select pkid, cp_id from xmpps2snodes"
#define INSERT(realm)                                                                              \
	"insert into xmpps2snodes (pkid, cp_id) values (newid(), 'cm-2_s2scp-1." realm "')"
#define DELETE(realm) "delete from xmpps2snodes where cp_id = 'cm-2_s2scp-1." realm "'"

static struct axl_sync *sync;
static struct axl_action last;

static int set_up(void **state)
{
	sync = axl_sync_create();
	return 0;
}

static int tear_down(void **state)
{
	axl_sync_destroy(&sync);
	return 0;
}

static void want(const char *const *realms, const char *const *written)
{
	size_t count = 0, written_count = 0;

	while (realms[count])
		count++;
	while (written[written_count])
		written_count++;
	axl_sync_want(sync, realms, count, written, written_count);
}
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE ((const char *const[]){ NULL })

static bool we_send(const char *version, const char *sql)
{
	last = axl_sync_next(sync);
	if (last.type != AXL_ACT_SEND)
		return false;
	assert_int_equal(axl_sync_next(sync).type, AXL_ACT_NONE); /* once */
	assert_true(last.request->has_sequence);
	assert_int_equal(last.request->operation, sql[0] == 's' ? AXL_QUERY : AXL_UPDATE);
	if (strcmp(last.request->sql, sql) != 0 || strcmp(last.request->version, version) != 0)
		fail_msg("%s: %s", last.request->version, last.request->sql);
	return true;
}

static void server_says(long status, const char *body)
{
	axl_sync_answer(sync, status, slice_of(body));
}

/* Rows "PKID CP_ID", up to NULL. */
static void server_has(const char *const *rows)
{
	struct buffer body = { 0 };
	char pkid[64], cp_id[128], *text;

	buffer_append_text(&body, HEAD "<ns:executeSQLQueryResponse "
				       "xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\"><return>");
	for (; *rows; rows++) {
		assert_int_equal(sscanf(*rows, "%63s %127s", pkid, cp_id), 2);
		buffer_printf(&body, "<row><pkid>%s</pkid><cp_id>%s</cp_id></row>", pkid, cp_id);
	}
	buffer_append_text(&body, "</return></ns:executeSQLQueryResponse>" TAIL);
	text = buffer_take_text(&body);
	server_says(200, text);
	free(text);
}

static void server_changes_a_row(void)
{
	server_says(200, HEAD "<ns:executeSQLUpdateResponse "
			      "xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\"><return>"
			      "<rowsUpdated>1</rowsUpdated></return>"
			      "</ns:executeSQLUpdateResponse>" TAIL);
}

static bool it_is_done(unsigned changed)
{
	last = axl_sync_next(sync);
	return last.type == AXL_ACT_DONE && last.changed == changed && !axl_sync_has_stale(sync);
}

static bool it_failed(enum axl_trouble trouble, unsigned retry_s)
{
	last = axl_sync_next(sync);
	if (last.type != AXL_ACT_FAILED)
		return false;
	if (last.trouble != trouble || last.retry_s != retry_s)
		fail_msg("%s, again in %u s: %s", axl_trouble_name(last.trouble), last.retry_s,
			 last.why);
	return true;
}

static void a_table_as_it_should_be_is_only_looked_at(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	assert_int_equal(axl_sync_next(sync).type, AXL_ACT_NONE);
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a"));
	assert_true(it_is_done(0));
	assert_int_equal(axl_sync_next(sync).type, AXL_ACT_NONE);
}

static void what_is_missing_is_inserted_and_looked_at_again(void **state)
{
	want(LIST("edge-a", "edge-b"), LIST("edge-a", "edge-b"));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(NONE);
	assert_true(we_send("14.0", INSERT("edge-a")));
	server_changes_a_row();
	assert_true(we_send("14.0", INSERT("edge-b")));
	server_changes_a_row();
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a", "2 cm-2_s2scp-1.edge-b"));
	assert_true(it_is_done(2));
}

static void only_rows_that_we_wrote_are_stale(void **state)
{
	const char *const *foreign;

	want(LIST("edge-a"), LIST("edge-a", "old"));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.old", "2 cm-2_s2scp-1.other", "3 cm-2_s2scp-1.edge-a",
			"4 elsewhere.old"));
	assert_true(axl_sync_has_stale(sync));
	assert_true(we_send("14.0", DELETE("old")));
	server_changes_a_row();
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("2 cm-2_s2scp-1.other", "3 cm-2_s2scp-1.edge-a", "4 elsewhere.old"));
	assert_true(it_is_done(1));
	assert_int_equal(axl_sync_foreign(sync, &foreign), 2);
	assert_string_equal(foreign[0], "cm-2_s2scp-1.other");
	assert_string_equal(foreign[1], "elsewhere.old");
}

static void what_others_call_their_rows_is_cut_and_one_word(void **state)
{
	char *body = xasprintf(HEAD "<ns:executeSQLQueryResponse "
				    "xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\"><return><row>"
				    "<cp_id>two words\n%0*d</cp_id></row></return>"
				    "</ns:executeSQLQueryResponse>" TAIL,
			       100000, 0);
	const char *const *foreign;

	want(NONE, NONE);
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_says(200, body);
	assert_true(it_is_done(0));
	assert_int_equal(axl_sync_foreign(sync, &foreign), 1);
	assert_int_equal(strncmp(foreign[0], "two?words?000", 13), 0);
	assert_in_range(strlen(foreign[0]), 100, 300);
	free(body);
}

static void a_row_that_is_there_twice_is_reduced_to_one(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a", "it's cm-2_s2scp-1.edge-a"));
	assert_true(we_send("14.0", "delete from xmpps2snodes where pkid = 'it''s'"));
	server_changes_a_row();
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a"));
	assert_true(it_is_done(1));
}

static void a_table_that_does_not_keep_it_is_given_up(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	axl_sync_begin(sync);
	for (int i = 0; i < 2; i++) {
		assert_true(we_send("14.0", SELECT));
		server_has(NONE);
		assert_true(we_send("14.0", INSERT("edge-a")));
		server_changes_a_row();
	}
	assert_true(we_send("14.0", SELECT));
	server_has(NONE);
	assert_true(it_failed(AXL_FAULT, 15));
	assert_non_null(strstr(last.why, "somebody else"));
}

static void versions_step_down_and_are_remembered(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_says(599, "");
	assert_true(we_send("12.5", SELECT));
	server_says(599, "");
	assert_true(we_send("11.5", SELECT));
	server_has(NONE);
	assert_true(we_send("11.5", INSERT("edge-a")));
	server_changes_a_row();
	assert_true(we_send("11.5", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a"));
	assert_true(it_is_done(1));
	assert_string_equal(axl_sync_version(sync), "11.5");
	axl_sync_begin(sync);
	assert_true(we_send("11.5", SELECT));
	server_says(599, ""); /* it was upgraded */
	assert_true(we_send("14.0", SELECT));
	server_says(599, "");
	assert_true(we_send("12.5", SELECT));
	server_says(599, "");
	assert_true(we_send("9.1", SELECT));
	server_says(599, "");
	assert_true(it_failed(AXL_VERSION, 0));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
}

#define FAULT(error, end)                                                                          \
	HEAD "<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>text</faultstring>" \
	     "<detail>" error "<axlcode>-206</axlcode><axlmessage>no such\ttable</axlmessage>"     \
	     "<request>executeSQLQuery</request>" end "</detail></soapenv:Fault>" TAIL

static void every_status_has_its_meaning(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum axl_trouble trouble;
		unsigned retry_s;
		const char *why;
	} rows[] = {
		{ 401, "", AXL_LOGIN, 0, "HTTP 401" },
		{ 403, "", AXL_ROLE, 0, "HTTP 403" },
		{ 503, "", AXL_BUSY, 5, "HTTP 503" },
		{ 404, "<html/>", AXL_GIBBERISH, 15, "HTTP 404" },
		{ 302, "", AXL_GIBBERISH, 15, "HTTP 302" },
		{ 200, "", AXL_GIBBERISH, 15, "" },
		{ 200, "<html><body>It works</body></html>", AXL_GIBBERISH, 15, "" },
		{ 200, "\001\377\376", AXL_GIBBERISH, 15, "" },
		{ 200,
		  HEAD
		  "<ns:executeSQLUpdateResponse xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\">"
		  "<return><rowsUpdated>1</rowsUpdated></return>"
		  "</ns:executeSQLUpdateResponse>" TAIL,
		  AXL_GIBBERISH, 15, "not that of the request" },
		{ 500, "Internal Server Error", AXL_GIBBERISH, 15, "" },
		{ 500, FAULT("<axlError>", "</axlError>"), AXL_FAULT, 15, "-206 no such?table" },
		{ 500,
		  FAULT("<a:axlError xmlns:a=\"http://www.cisco.com/AXL/API/14.0\">",
			"</a:axlError>"),
		  AXL_FAULT, 15, "-206 no such?table" },
		{ 500,
		  HEAD "<soapenv:Fault><faultcode>soapenv:Server</faultcode>"
		       "<faultstring>out of order</faultstring></soapenv:Fault>" TAIL,
		  AXL_FAULT, 15, "out of order" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		tear_down(state);
		set_up(state);
		want(LIST("edge-a"), LIST("edge-a"));
		axl_sync_begin(sync);
		assert_true(we_send("14.0", SELECT));
		server_says(rows[i].status, rows[i].body);
		assert_true(it_failed(rows[i].trouble, rows[i].retry_s));
		if (!strstr(last.why, rows[i].why))
			fail_msg("%ld: %s", rows[i].status, last.why);
		assert_int_equal(axl_trouble_is_final(last.trouble), rows[i].retry_s == 0);
		axl_sync_begin(sync); /* settings were changed, or it is time */
		assert_true(we_send("14.0", SELECT));
	}
}

static void waits_grow_and_are_forgotten_after_success(void **state)
{
	static const unsigned busy[] = { 5, 10, 20, 40, 60, 60 };
	static const unsigned other[] = { 15, 30, 60, 120, 240, 300, 300 };

	want(NONE, NONE);
	for (size_t i = 0; i < nitems(busy); i++) {
		axl_sync_begin(sync);
		assert_true(we_send("14.0", SELECT));
		server_says(503, "");
		assert_true(it_failed(AXL_BUSY, busy[i]));
	}
	for (size_t i = 0; i < nitems(other); i++) {
		axl_sync_begin(sync);
		assert_true(we_send("14.0", SELECT));
		axl_sync_trouble(sync, AXL_REFUSED, "Connection refused");
		assert_true(it_failed(AXL_REFUSED, other[i]));
		assert_string_equal(last.why, "Connection refused");
	}
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(NONE);
	assert_true(it_is_done(0));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	axl_sync_trouble(sync, AXL_TIMEOUT, "");
	assert_true(it_failed(AXL_TIMEOUT, 15));
}

static void somebody_who_was_faster_is_no_trouble(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	axl_sync_begin(sync);
	assert_true(we_send("14.0", SELECT));
	server_has(NONE);
	assert_true(we_send("14.0", INSERT("edge-a")));
	server_says(500, HEAD "<soapenv:Fault><faultcode>soapenv:Client</faultcode>"
			      "<faultstring>x</faultstring><detail><axlError>"
			      "<axlcode>-239</axlcode><axlmessage>duplicate</axlmessage>"
			      "</axlError></detail></soapenv:Fault>" TAIL);
	assert_true(we_send("14.0", SELECT));
	server_has(LIST("1 cm-2_s2scp-1.edge-a"));
	assert_true(it_is_done(0));
}

static void an_answer_that_nobody_waits_for_means_nothing(void **state)
{
	want(LIST("edge-a"), LIST("edge-a"));
	server_says(401, "");
	axl_sync_trouble(sync, AXL_TLS, "x");
	assert_int_equal(axl_sync_next(sync).type, AXL_ACT_NONE);
	axl_sync_begin(sync);
	server_says(401, ""); /* not sent yet */
	axl_sync_begin(sync); /* under way */
	assert_true(we_send("14.0", SELECT));
}

static void every_trouble_tells_cause_and_fix(void **state)
{
	for (enum axl_trouble t = 0; t < AXL_TROUBLES; t++) {
		assert_true(strlen(axl_trouble_name(t)) > 0);
		assert_true(strlen(axl_trouble_cause(t)) > 10);
		assert_true(strlen(axl_trouble_fix(t)) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_table_as_it_should_be_is_only_looked_at),
		TEST(what_is_missing_is_inserted_and_looked_at_again),
		TEST(only_rows_that_we_wrote_are_stale),
		TEST(what_others_call_their_rows_is_cut_and_one_word),
		TEST(a_row_that_is_there_twice_is_reduced_to_one),
		TEST(a_table_that_does_not_keep_it_is_given_up),
		TEST(versions_step_down_and_are_remembered),
		TEST(every_status_has_its_meaning),
		TEST(waits_grow_and_are_forgotten_after_success),
		TEST(somebody_who_was_faster_is_no_trouble),
		TEST(an_answer_that_nobody_waits_for_means_nothing),
		cmocka_unit_test(every_trouble_tells_cause_and_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
