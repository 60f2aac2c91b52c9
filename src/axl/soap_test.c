#include "axl/soap.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define AXL "http://www.cisco.com/AXL/API/14.0"
#define ENVELOPE(body)                                                                             \
	"<soapenv:Envelope xmlns:soapenv=\"" SOAP "\" xmlns:ns=\"" AXL "\"><soapenv:Body>" body    \
	"</soapenv:Body></soapenv:Envelope>"

/* As the published schema's examples are written. */
static const char published_request[] =
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"\n"
	"                  xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\">\n"
	" <soapenv:Header/>\n"
	" <soapenv:Body>\n"
	"  <ns:executeSQLQuery sequence=\"1\"><sql>select pkid, cp_id from xmpps2snodes</sql>"
	"</ns:executeSQLQuery>\n"
	" </soapenv:Body>\n"
	"</soapenv:Envelope>\n";

static const char published_response[] =
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">"
	"<soapenv:Body>\n"
	" <ns:executeSQLQueryResponse xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\" "
	"sequence=\"1\">\n"
	"  <return><row><pkid>UUID</pkid><cp_id>cm-2_s2scp-1.realm</cp_id></row></return>\n"
	" </ns:executeSQLQueryResponse></soapenv:Body></soapenv:Envelope>\n";

static char *text_of(struct buffer *out)
{
	return buffer_take_text(out);
}

static void the_published_request_is_read(void **state)
{
	struct axl_request request;
	const char *why;

	assert_true(axl_request_read(slice_of(published_request), &request, &why));
	assert_int_equal(request.operation, AXL_QUERY);
	assert_string_equal(request.version, "14.0");
	assert_true(request.has_sequence);
	assert_int_equal(request.sequence, 1);
	assert_string_equal(request.sql, "select pkid, cp_id from xmpps2snodes");
	axl_request_finish(&request);
}

static void the_largest_sequence_is_echoed(void **state)
{
	static const char body[] =
		ENVELOPE("<ns:executeSQLUpdate sequence='18446744073709551615'><sql>a</sql>"
			 "</ns:executeSQLUpdate>");
	struct axl_request request;
	struct buffer out = { 0 };
	const char *why;
	char *text;

	assert_true(axl_request_read(slice_of(body), &request, &why));
	assert_true(request.sequence == UINT64_MAX);
	axl_write_updated(&out, &request, 1);
	text = text_of(&out);
	assert_non_null(strstr(text, " sequence=\"18446744073709551615\""));
	axl_request_finish(&request);
	free(text);
}

static void requests_are_read_however_they_are_written(void **state)
{
	static const struct {
		const char *body, *version, *sql;
		enum axl_operation operation;
	} rows[] = {
		{ "<Envelope xmlns='" SOAP "'><Body><executeSQLUpdate "
		  "xmlns='http://www.cisco.com/AXL/API/9.1'><sql xmlns=''>delete from x</sql>"
		  "</executeSQLUpdate></Body></Envelope>",
		  "9.1", "delete from x", AXL_UPDATE },
		{ "<?xml version='1.0' encoding='UTF-8'?>" ENVELOPE(
			  "<ns:executeSQLQuery><sql><![CDATA[select 1 where 1 < 2]]></sql>"
			  "</ns:executeSQLQuery>"),
		  "14.0", "select 1 where 1 < 2", AXL_QUERY },
		{ ENVELOPE("<ns:executeSQLQuery><ns:sql>a &lt; b &amp; c</ns:sql>"
			   "</ns:executeSQLQuery>"),
		  "14.0", "a < b & c", AXL_QUERY },
		{ "<s:Envelope xmlns:s='" SOAP "' xmlns:xsi='x'><s:Header><a><b/></a></s:Header>"
		  "<s:Body><n:executeSQLQuery xmlns:n='http://www.cisco.com/AXL/API/12.5' "
		  "xsi:type='y'><sql>x</sql></n:executeSQLQuery></s:Body></s:Envelope>",
		  "12.5", "x", AXL_QUERY },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct axl_request request;
		const char *why = "";

		if (!axl_request_read(slice_of(rows[i].body), &request, &why))
			fail_msg("%s: %s", rows[i].body, why);
		assert_int_equal(request.operation, rows[i].operation);
		assert_string_equal(request.version, rows[i].version);
		assert_string_equal(request.sql, rows[i].sql);
		assert_false(request.has_sequence);
		axl_request_finish(&request);
	}
}

static void what_is_no_request_is_told_why(void **state)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
		{ "", "no element found" },
		{ "select 1", "syntax error" },
		{ "<html/>", "not a SOAP 1.1 envelope" },
		{ "<Envelope/>", "not a SOAP 1.1 envelope" },
		{ "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>",
		  "not a SOAP 1.1 envelope" },
		{ "<!DOCTYPE x><Envelope xmlns='" SOAP "'/>",
		  "a document type declaration, which SOAP does not allow" },
		{ "<?php x?><Envelope xmlns='" SOAP "'/>",
		  "a processing instruction, which SOAP does not allow" },
		{ "<Envelope xmlns='" SOAP "'/>", "there is no operation in the body" },
		{ "<Envelope xmlns='" SOAP "'><x/></Envelope>",
		  "an element in the envelope that is neither Header nor Body" },
		{ ENVELOPE(""), "there is no operation in the body" },
		{ ENVELOPE("<ns:getUser/>"),
		  "an operation that is neither executeSQLQuery nor executeSQLUpdate in an AXL "
		  "namespace" },
		{ ENVELOPE("<executeSQLQuery/>"),
		  "an operation that is neither executeSQLQuery nor executeSQLUpdate in an AXL "
		  "namespace" },
		{ ENVELOPE("<x:executeSQLQuery xmlns:x='http://www.cisco.com/AXL/API/'/>"),
		  "an operation that is neither executeSQLQuery nor executeSQLUpdate in an AXL "
		  "namespace" },
		{ ENVELOPE("<ns:executeSQLQuery/>"), "the operation has no sql" },
		{ ENVELOPE("<ns:executeSQLQuery><sql>a</sql><sql>b</sql></ns:executeSQLQuery>"),
		  "an element that is there twice" },
		{ ENVELOPE("<ns:executeSQLQuery><sql>a<b/></sql></ns:executeSQLQuery>"),
		  "an element where there should be text" },
		{ ENVELOPE("<ns:executeSQLQuery sequence='-1'><sql>a</sql></ns:executeSQLQuery>"),
		  "sequence is not a number" },
		{ ENVELOPE("<ns:executeSQLQuery sequence='18446744073709551616'><sql>a</sql>"
			   "</ns:executeSQLQuery>"),
		  "sequence is not a number" },
		{ ENVELOPE("<ns:executeSQLQuery><sql>a</sql></ns:executeSQLQuery>"
			   "<ns:executeSQLUpdate><sql>b</sql></ns:executeSQLUpdate>"),
		  "more than one operation" },
		{ ENVELOPE("<ns:executeSQLQuery><sql>&x;</sql></ns:executeSQLQuery>"),
		  "undefined entity" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct axl_request request;
		const char *why = "";

		assert_false(axl_request_read(slice_of(rows[i].body), &request, &why));
		assert_string_equal(why, rows[i].why);
		assert_null(request.sql);
	}
}

static void what_is_nested_or_long_without_end_is_refused(void **state)
{
	struct buffer body = { 0 };
	struct axl_request request;
	const char *why;

	buffer_append_text(&body, "<Envelope xmlns='" SOAP "'><Header>");
	for (int i = 0; i < 1000; i++)
		buffer_append_text(&body, "<a>");
	assert_false(axl_request_read((struct slice){ buffer_data(&body), buffer_len(&body) },
				      &request, &why));
	assert_string_equal(why, "nested too deeply");
	while (buffer_len(&body) <= SOAP_BYTES)
		buffer_append_text(&body, "                                                ");
	assert_false(axl_request_read((struct slice){ buffer_data(&body), buffer_len(&body) },
				      &request, &why));
	assert_string_equal(why, "longer than 4 MiB");
	buffer_finish(&body);
}

static void what_we_write_we_read(void **state)
{
	const struct axl_request request = { AXL_UPDATE, "12.5", true, 77,
					     (char[]){ "a < 'b' & \"c\"" } };
	struct buffer out = { 0 };
	struct axl_request read;
	const char *why;
	char *text;

	axl_request_write(&out, &request);
	text = text_of(&out);
	assert_string_equal(text, "<soapenv:Envelope xmlns:soapenv=\"" SOAP "\" "
				  "xmlns:ns=\"http://www.cisco.com/AXL/API/12.5\">"
				  "<soapenv:Header/><soapenv:Body>"
				  "<ns:executeSQLUpdate sequence=\"77\"><sql>"
				  "a &lt; &apos;b&apos; &amp; &quot;c&quot;</sql>"
				  "</ns:executeSQLUpdate></soapenv:Body></soapenv:Envelope>");
	assert_true(axl_request_read(slice_of(text), &read, &why));
	assert_int_equal(read.operation, AXL_UPDATE);
	assert_int_equal(read.sequence, 77);
	assert_string_equal(read.sql, request.sql);
	axl_request_finish(&read);
	free(text);
}

static void rows_are_read_and_written(void **state)
{
	const struct axl_request request = { AXL_QUERY, "14.0", true, 1, NULL };
	struct axl_response response;
	struct buffer out = { 0 };
	const char *why;
	char *text;

	assert_true(axl_response_read(slice_of(published_response), &response, &why));
	assert_false(response.is_fault);
	assert_int_equal(response.rows.count, 1);
	assert_int_equal(response.rows.columns, 2);
	assert_string_equal(response.rows.names[0], "pkid");
	assert_string_equal(response.rows.cells[1], "cm-2_s2scp-1.realm");
	axl_write_rows(&out, &request, &response.rows);
	text = text_of(&out);
	assert_string_equal(text, "<soapenv:Envelope xmlns:soapenv=\"" SOAP "\"><soapenv:Body>"
				  "<ns:executeSQLQueryResponse xmlns:ns=\"" AXL "\" "
				  "sequence=\"1\"><return><row><pkid>UUID</pkid>"
				  "<cp_id>cm-2_s2scp-1.realm</cp_id></row></return>"
				  "</ns:executeSQLQueryResponse></soapenv:Body>"
				  "</soapenv:Envelope>");
	free(text);
	axl_response_finish(&response);
}

static void rows_may_differ_in_their_columns(void **state)
{
	struct axl_response response;
	const char *why;

	assert_true(axl_response_read(
		slice_of(ENVELOPE("<ns:executeSQLQueryResponse><return><row><a>1</a></row>"
				  "<row/><row><b>2</b><a>3</a></row></return>"
				  "</ns:executeSQLQueryResponse>")),
		&response, &why));
	assert_int_equal(response.rows.count, 3);
	assert_int_equal(response.rows.columns, 2);
	assert_string_equal(response.rows.cells[0], "1");
	assert_null(response.rows.cells[1]);
	assert_null(response.rows.cells[2]);
	assert_string_equal(response.rows.cells[4], "3");
	assert_string_equal(response.rows.cells[5], "2");
	axl_response_finish(&response);
	assert_true(axl_response_read(slice_of(ENVELOPE("<ns:executeSQLQueryResponse><return/>"
							"</ns:executeSQLQueryResponse>")),
				      &response, &why));
	assert_int_equal(response.rows.count, 0);
	axl_response_finish(&response);
}

static void updates_tell_how_many_rows(void **state)
{
	const struct axl_request request = { AXL_UPDATE, "11.5", false, 0, NULL };
	struct axl_response response;
	struct buffer out = { 0 };
	const char *why;
	char *text;

	axl_write_updated(&out, &request, 3);
	text = text_of(&out);
	assert_string_equal(text, "<soapenv:Envelope xmlns:soapenv=\"" SOAP "\"><soapenv:Body>"
				  "<ns:executeSQLUpdateResponse "
				  "xmlns:ns=\"http://www.cisco.com/AXL/API/11.5\"><return>"
				  "<rowsUpdated>3</rowsUpdated></return>"
				  "</ns:executeSQLUpdateResponse></soapenv:Body>"
				  "</soapenv:Envelope>");
	assert_true(axl_response_read(slice_of(text), &response, &why));
	assert_int_equal(response.operation, AXL_UPDATE);
	assert_int_equal(response.rows_updated, 3);
	free(text);
}

static void faults_are_read_with_and_without_a_namespace(void **state)
{
	static const struct {
		const char *body, *message;
		int code;
	} rows[] = {
		{ ENVELOPE("<soapenv:Fault><faultcode>soapenv:Client</faultcode>"
			   "<faultstring>text</faultstring><detail><axlError>"
			   "<axlcode>-206</axlcode><axlmessage>no table</axlmessage>"
			   "<request>executeSQLQuery</request></axlError></detail>"
			   "</soapenv:Fault>"),
		  "no table", -206 },
		{ ENVELOPE("<soapenv:Fault><faultstring>text</faultstring><detail><ns:axlError>"
			   "<axlcode>-201</axlcode><axlmessage>syntax</axlmessage>"
			   "</ns:axlError></detail></soapenv:Fault>"),
		  "syntax", -201 },
		{ ENVELOPE("<soapenv:Fault><faultcode>x</faultcode>"
			   "<faultstring>it broke</faultstring></soapenv:Fault>"),
		  "it broke", 0 },
		{ ENVELOPE("<soapenv:Fault/>"), "", 0 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct axl_response response;
		const char *why;

		assert_true(axl_response_read(slice_of(rows[i].body), &response, &why));
		assert_true(response.is_fault);
		assert_int_equal(response.fault.code, rows[i].code);
		assert_string_equal(response.fault.message, rows[i].message);
		axl_response_finish(&response);
	}
}

static void a_fault_is_written_in_the_published_order(void **state)
{
	const struct axl_fault fault = { -217, (char[]){ "no column <x>" } };
	struct buffer out = { 0 };
	char *text;

	axl_write_fault(&out, true, &fault, "executeSQLQuery");
	text = text_of(&out);
	assert_string_equal(
		text,
		"<soapenv:Envelope xmlns:soapenv=\"" SOAP "\"><soapenv:Body><soapenv:Fault>"
		"<faultcode>soapenv:Client</faultcode><faultstring>no column &lt;x&gt;"
		"</faultstring><detail><axlError><axlcode>-217</axlcode>"
		"<axlmessage>no column &lt;x&gt;</axlmessage><request>executeSQLQuery</request>"
		"</axlError></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>");
	free(text);
}

static void what_is_no_response_is_told_why(void **state)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
		{ "", "no element found" },
		{ "<html><body>503</body></html>", "not a SOAP 1.1 envelope" },
		{ ENVELOPE("<ns:executeSQLQueryResponse/>"), "the response has no return" },
		{ ENVELOPE("<ns:executeSQLUpdateResponse><return/>"
			   "</ns:executeSQLUpdateResponse>"),
		  "the response does not say how many rows were updated" },
		{ ENVELOPE("<ns:executeSQLQuery><sql>x</sql></ns:executeSQLQuery>"),
		  "neither a response nor a fault" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct axl_response response;
		const char *why = "";

		assert_false(axl_response_read(slice_of(rows[i].body), &response, &why));
		assert_string_equal(why, rows[i].why);
	}
}

static void a_column_that_is_no_name_gets_one(void **state)
{
	char *names[] = { (char[]){ "count(*)" }, (char[]){ "1x" } };
	char *cells[] = { (char[]){ "5" }, NULL };
	const struct axl_request request = { AXL_QUERY, "14.0", false, 0, NULL };
	const struct axl_rows rows = { 2, 1, names, cells };
	struct buffer out = { 0 };
	char *text;

	axl_write_rows(&out, &request, &rows);
	text = text_of(&out);
	assert_non_null(strstr(text, "<row><count___>5</count___><_x></_x></row>"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_request_is_read),
		cmocka_unit_test(the_largest_sequence_is_echoed),
		cmocka_unit_test(requests_are_read_however_they_are_written),
		cmocka_unit_test(what_is_no_request_is_told_why),
		cmocka_unit_test(what_is_nested_or_long_without_end_is_refused),
		cmocka_unit_test(what_we_write_we_read),
		cmocka_unit_test(rows_are_read_and_written),
		cmocka_unit_test(rows_may_differ_in_their_columns),
		cmocka_unit_test(updates_tell_how_many_rows),
		cmocka_unit_test(faults_are_read_with_and_without_a_namespace),
		cmocka_unit_test(a_fault_is_written_in_the_published_order),
		cmocka_unit_test(what_is_no_response_is_told_why),
		cmocka_unit_test(a_column_that_is_no_name_gets_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
