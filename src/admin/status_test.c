#include "admin/status.h"

#include "admin/status_views.h"
#include "base/alloc.h"
#include "ipc/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Rows are words with a comma between: "link,core-a,core,up". */
static void report(json_t *status, enum process from, const char *const *rows)
{
	struct buffer out = { 0 };

	snapshot_begin(&out, 1, 1);
	for (size_t i = 0; rows[i]; i++) {
		struct snapshot_record record = { 0 };
		const char *at = rows[i];

		for (;;) {
			size_t len = strcspn(at, ",");

			record.fields[record.count++] = (struct slice){ at, len };
			if (!at[len])
				break;
			at += len + 1;
		}
		snapshot_add(&out, &record);
	}
	assert_true(
		status_add(status, from, (struct slice){ buffer_data(&out), buffer_len(&out) }));
	buffer_finish(&out);
}

static const char *const control[] = {
	"node,edge-a,edge,3fe1",
	"process,control,100,running,1,",
	"process,traffic,101,ready,2,signal 11 (Segmentation fault)",
	"process,manage,102,ready,1,",
	"revision,12",
	"listener,s2s,192.0.2.1:5269",
	NULL,
};

static const char *const traffic[] = {
	"link,core-a,core,up,in,3,4000,",
	"stream,in,34A9B60C8,example.net,example.org,ready,TLSv1.3,dialback,17,59",
	"stream,out,05E295A2B,example.net,example.org,ready,TLSv1.3,external,1200,90061",
	"stream,out,15E295A2B,example.net,b\303\274cher.example,connecting,-,-,0,1",
	"queue,example.net,slow.example,3,2048,61",
	"counter,stanzas.delivered,1217",
	"counter,stanzas.refused.and.more,0",
	"counter,a\nb,1",
	NULL,
};

static const char *verdict(const json_t *status)
{
	return json_string_value(json_object_get(status, "verdict"));
}

static void the_text_is_read_in_five_seconds(void **state)
{
	json_t *status = status_begin();
	char *text;

	report(status, PROCESS_CONTROL, control);
	report(status, PROCESS_TRAFFIC, traffic);
	status_judge(status);
	text = status_text(status);
	assert_string_equal(text, "edge-a (edge): up, 1 of 1 links, 3 streams\n"
				  "\n"
				  "LINK    ROLE  STATE  DIRECTION  UNSETTLED    FOR  WHY\n"
				  "core-a  core  up     in                 3  1h06m  -\n"
				  "\n"
				  "STREAM          LOCAL        REMOTE          STATE       TLS    "
				  "  AUTH      STANZAS    FOR\n"
				  "34A9B60C8  in   example.net  example.org     ready       "
				  "TLSv1.3  dialback       17    59s\n"
				  "05E295A2B  out  example.net  example.org     ready       "
				  "TLSv1.3  external     1200  1d01h\n"
				  "15E295A2B  out  example.net  b\xc3\xbc"
				  "cher.example  connecting  -        -               0     1s\n"
				  "\n"
				  "QUEUE FROM   TO            STANZAS     SIZE  OLDEST\n"
				  "example.net  slow.example        3  2.0 KiB   1m01s\n"
				  "\n"
				  "PROCESS  STATE    PID  STARTS  LAST END\n"
				  "control  running  100       1  -\n"
				  "traffic  ready    101       2  signal 11 (Segmentation fault)\n"
				  "manage   ready    102       1  -\n"
				  "\n"
				  "LISTENER  ADDRESS\n"
				  "s2s       192.0.2.1:5269\n"
				  "\n"
				  "COUNTER            COUNT\n"
				  "stanzas.delivered   1217\n"
				  "a?b                    1\n"
				  "\n"
				  "settings revision 12\n"
				  "pin 3fe1\n");
	free(text);
	json_decref(status);
}

static void the_json_has_the_same_with_figures_as_figures(void **state)
{
	json_t *status = status_begin(), *stream, *process;

	report(status, PROCESS_CONTROL, control);
	report(status, PROCESS_TRAFFIC, traffic);
	status_judge(status);
	assert_int_equal(json_integer_value(json_object_get(status, "revision")), 12);
	stream = json_array_get(json_object_get(status, "streams"), 1);
	assert_string_equal(json_string_value(json_object_get(stream, "xcoder")), "05E295A2B");
	assert_int_equal(json_integer_value(json_object_get(stream, "stanzas")), 1200);
	process = json_array_get(json_object_get(status, "processes"), 1);
	assert_string_equal(json_string_value(json_object_get(process, "last_end")),
			    "signal 11 (Segmentation fault)");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(status, "counters"),
							    "stanzas.delivered")),
			 1217);
	assert_int_equal(json_array_size(json_object_get(status, "wrong")), 0);
	json_decref(status);
}

static const char *const more_control[] = {
	"node,home-a,home,3fe1",
	"notification,3,Warning,2,Cisco XCP Router: restart,Cisco XCP Config Manager,2026-01-01",
	"stored,cm.edge-a",
	"loaded-revision,7",
	"domain,example.net,on,core-a",
	"setting,router.apply,restart",
	"tunnel,edge-a,edge,up",
	NULL,
};

static const char *const more_traffic[] = {
	"link,core-a,core,up,in,0,5,,edge-a edge-b,-",
	"realm,edge-a,both,linked",
	"route,example.net,users",
	"default,out,core-a",
	"route-dead,example.org,connection refused",
	"static-routes,on,0",
	"notification,9,Error,1,forged,x,y",
	NULL,
};

static const char *const manage[] = {
	"tunnel,core-a,core,up,in,61,,4,4,9,3500,-12",
	"home-server,home-b,192.0.2.9:8443,failed,login,the password is wrong,14.0,30,,",
	NULL,
};

static json_t *home(void)
{
	json_t *status = status_begin();

	report(status, PROCESS_CONTROL, more_control);
	report(status, PROCESS_TRAFFIC, more_traffic);
	report(status, PROCESS_MANAGE, manage);
	return status;
}

static void each_process_tells_of_its_own_matters(void **state)
{
	json_t *status = home(), *tunnel;

	assert_int_equal(json_array_size(json_object_get(status, "notifications")), 1);
	assert_int_equal(json_array_size(json_object_get(status, "tunnels")), 1);
	tunnel = json_array_get(json_object_get(status, "tunnels"), 0);
	assert_int_equal(json_integer_value(json_object_get(tunnel, "skew_ms")), -12);
	assert_int_equal(json_integer_value(json_object_get(status, "loaded_revision")), 7);
	assert_string_equal(json_string_value(json_object_get(json_object_get(status, "settings"),
							      "router.apply")),
			    "restart");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(status, "static_routes"), "on")),
		0);
	json_decref(status);
}

static void add_alarm(json_t *list, int number, const char *severity, const char *subject)
{
	json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number",
					      number, "severity", severity, "title", "Trouble",
					      "subject", subject, "since", "2026-01-01", "seen",
					      "it\nis so", "cause", "a cause", "fix", "a fix"));
}

static void an_alarm_is_wrong_or_a_warning_by_its_severity(void **state)
{
	json_t *status = home(), *alarms = json_array();
	char *text;

	add_alarm(alarms, 15021, "warning", "");
	json_object_set(status, "alarms", alarms);
	status_judge(status);
	assert_string_equal(verdict(status), "home-a (home): up, 1 of 1 links, 1 of 1 tunnels, "
					     "0 of 1 home servers, 0 streams; 1 warning");
	text = status_text(status);
	assert_non_null(strstr(text, "\nwarning: alarm 15021 Trouble: it?is so\n"));
	free(text);
	add_alarm(alarms, 90006, "error", "x");
	status_judge(status);
	assert_string_equal(verdict(status), "home-a (home): alarm 90006 Trouble, x: it?is so");
	json_decref(alarms);
	json_decref(status);
}

static void other_nodes_alarms_are_shown_with_their_age(void **state)
{
	json_t *status = home(), *alarms = json_array();
	char *text;

	for (int i = 0; i < 5; i++)
		add_alarm(alarms, 90001 + i, "error", i ? "" : "edge\x1b[2J");
	json_object_set_new(
		status, "others",
		json_pack("{s:{s:o}, s:{s:[]}}", "core-a", "alarms", alarms, "edge-a", "alarms"));
	status_judge(status);
	text = status_text(status);
	assert_non_null(strstr(text, "\ncore-a: 5 alarms: 90001 Trouble, edge?[2J; 90002 Trouble; "
				     "90003 Trouble; and 2 more (heard 3s ago)\n"));
	assert_non_null(strstr(text, "\nedge-a: 0 alarms\n"));
	free(text);
	json_decref(status);
}

static const struct {
	const char *verb, *text;
	const char *list; /* that its data must have */
} views[] = {
	{ "alarms", "no alarms\n", "alarms" },
	{ "notifications",
	  "Number: 3\nSeverity: Warning\nCount: 2\nDescription: Cisco XCP Router: restart\n"
	  "Origin: Cisco XCP Config Manager\nCreated: 2026-01-01\n",
	  "notifications" },
	{ "routes",
	  "DOMAIN       FEDERATION  NODE\nexample.net  on          core-a\n\n"
	  "ROUTE TO     PORT\nexample.net  users\n\n"
	  "ALL OTHERS  PORT\nout         core-a\n\n"
	  "REALM   TABLE  LINK\nedge-a  both   linked\n\n"
	  "STORED IN XMPPS2SNODES\ncm.edge-a\n\n"
	  "LINK    ROLE  STATE  ADDRESS  REALMS\ncore-a  core  up     -        edge-a edge-b\n\n"
	  "DEAD STATIC ROUTE  WHY\nexample.org        connection refused\n",
	  "realms" },
	{ "home-servers",
	  "HOME SERVER  ADDRESS         STATE   VERSION  SEEN  TROUBLE  ROWS  FOREIGN  WHY\n"
	  "home-b       192.0.2.9:8443  failed  14.0      30s  login    -     -        "
	  "the password is wrong\n",
	  "home_servers" },
	{ "streams", "no streams: edges have those with the world\n", "streams" },
	{ "domains", "no domain of the world was talked to: edges talk to them\n", "peers" },
};

static void parts_of_it_are_shown_by_name(void **state)
{
	for (size_t i = 0; i < nitems(views); i++) {
		json_t *status = home(), *data;
		char *text;

		json_object_set_new(status, "alarms", json_array());
		assert_true(status_view(status, views[i].verb, NULL, &text, &data));
		assert_string_equal(text, views[i].text);
		assert_true(json_is_array(json_object_get(data, views[i].list)));
		free(text);
		json_decref(data);
		json_decref(status);
	}
}

static void a_part_without_who_knows_it_is_refused(void **state)
{
	json_t *status = status_begin(), *data;
	char *text;

	status_silent(status, PROCESS_TRAFFIC, "does not answer");
	assert_false(status_view(status, "routes", NULL, &text, &data));
	assert_string_equal(text, "traffic does not answer");
	assert_null(data);
	free(text);
	assert_true(status_view(status, "notifications", NULL, &text, &data));
	assert_string_equal(text, "no notifications\n");
	free(text);
	json_decref(data);
	json_decref(status);
}

/* What each adds to a healthy node, and the verdict then. */
static const struct {
	enum process from;
	const char *rows[3];
	const char *verdict;
} rows[] = {
	{ PROCESS_TRAFFIC,
	  { "link,core-b,core,down,in,0,5,connection refused" },
	  "edge-a (edge): link to core-b is down: connection refused" },
	{ PROCESS_TRAFFIC,
	  { "link,core-b,core,down,in,0,5,", "link,core-c,core,waiting,in,0,5," },
	  "edge-a (edge): link to core-b is down, and 1 more" },
	{ PROCESS_TRAFFIC,
	  { "link,core-b,core,down,in,0,5,no\nall is well" },
	  "edge-a (edge): link to core-b is down: no?all is well" },
	{ PROCESS_TRAFFIC,
	  { "link,core-b,core,up,in,0,5," },
	  "edge-a (edge): up, 2 of 2 links, 3 streams" },
	{ PROCESS_TRAFFIC,
	  { "attachment,prosody,up,0," },
	  "edge-a (edge): up, 1 of 1 links, 1 of 1 attachments, 3 streams" },
	{ PROCESS_TRAFFIC,
	  { "counter,streams.open,7" }, /* all that a brief status says of them */
	  "edge-a (edge): up, 1 of 1 links, 7 streams" },
	{ PROCESS_TRAFFIC,
	  { "attachment,prosody,failed,0,secret refused" },
	  "edge-a (edge): attachment prosody is failed: secret refused" },
	{ PROCESS_TRAFFIC,
	  { "fault,tls.certificate is not set" },
	  "edge-a (edge): tls.certificate is not set" },
	{ PROCESS_CONTROL,
	  { "process,resolver,0,down,9,signal 9 (Killed)" },
	  "edge-a (edge): process resolver is down: signal 9 (Killed)" },
	/* traffic hears strangers: it says nothing about control's matters, nor what is unknown */
	{ PROCESS_TRAFFIC,
	  { "node,evil,core,00", "process,control,1,down,1,", "what,ever" },
	  "edge-a (edge): up, 1 of 1 links, 3 streams" },
	{ PROCESS_CONTROL,
	  { "link,evil,core,down,in,0,0," },
	  "edge-a (edge): up, 1 of 1 links, 3 streams" },
};

static void the_verdict_names_what_is_wrong_first(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *more[4] = { rows[i].rows[0], rows[i].rows[1], rows[i].rows[2] };
		json_t *status = status_begin();

		report(status, PROCESS_CONTROL, control);
		report(status, PROCESS_TRAFFIC, traffic);
		report(status, rows[i].from, more);
		status_judge(status);
		assert_string_equal(verdict(status), rows[i].verdict);
		json_decref(status);
	}
}

static void who_does_not_answer_is_said_and_the_rest_shown(void **state)
{
	json_t *status = status_begin();
	char *text;

	report(status, PROCESS_CONTROL, control);
	status_silent(status, PROCESS_TRAFFIC, "does not answer");
	status_judge(status);
	assert_string_equal(verdict(status), "edge-a (edge): traffic does not answer");
	text = status_text(status);
	assert_non_null(strstr(text, "\nPROCESS"));
	free(text);
	json_decref(status);

	status = status_begin();
	report(status, PROCESS_TRAFFIC, traffic);
	status_silent(status, PROCESS_CONTROL, "does not answer");
	status_judge(status);
	assert_string_equal(verdict(status), "this node: control does not answer");
	json_decref(status);
}

static void each_of_several_faults_has_a_line(void **state)
{
	json_t *status = status_begin();
	char *text;

	status_silent(status, PROCESS_CONTROL, "does not answer");
	status_silent(status, PROCESS_TRAFFIC, "is not running");
	status_judge(status);
	text = status_text(status);
	assert_string_equal(text, "this node: control does not answer, and 1 more\n"
				  "! control does not answer\n"
				  "! traffic is not running\n");
	free(text);
	json_decref(status);
}

static void many_rows_are_cut_in_the_text_only(void **state)
{
	static const char *const one[] = { "stream,in,34A9B60C8,a,b,ready,-,-,1,1", NULL };
	json_t *status = status_begin();
	char *text;

	for (int i = 0; i < 100; i++)
		report(status, PROCESS_TRAFFIC, one);
	status_judge(status);
	text = status_text(status);
	assert_non_null(strstr(text, "\nand 80 more; --json shows all\n"));
	assert_int_equal(json_array_size(json_object_get(status, "streams")), 100);
	free(text);
	json_decref(status);
}

static void long_and_strange_values_keep_the_table_in_shape(void **state)
{
	char row[600], why[301];
	const char *const link[] = { row, NULL };
	json_t *status = status_begin();
	char *text;

	memset(why, 'w', 300);
	why[300] = '\0';
	snprintf(row, sizeof(row), "link,%.60s,a\nb\x1b\xff,up,,x,,%s", why, why);
	report(status, PROCESS_TRAFFIC, link);
	status_judge(status);
	text = status_text(status);
	assert_non_null(strstr(text, "wwwwwwww...  a?b??  up     -                  x    -  www"));
	free(text);
	json_decref(status);
}

static void a_broken_report_adds_nothing(void **state)
{
	json_t *status = status_begin(), *before = json_deep_copy(status);

	assert_false(status_add(status, PROCESS_CONTROL, slice_of("")));
	assert_false(status_add(status, PROCESS_TRAFFIC, slice_of("SALLYPT1 and so on and on")));
	assert_true(json_equal(status, before));
	json_decref(before);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_read_in_five_seconds),
		cmocka_unit_test(the_json_has_the_same_with_figures_as_figures),
		cmocka_unit_test(each_process_tells_of_its_own_matters),
		cmocka_unit_test(an_alarm_is_wrong_or_a_warning_by_its_severity),
		cmocka_unit_test(other_nodes_alarms_are_shown_with_their_age),
		cmocka_unit_test(parts_of_it_are_shown_by_name),
		cmocka_unit_test(a_part_without_who_knows_it_is_refused),
		cmocka_unit_test(the_verdict_names_what_is_wrong_first),
		cmocka_unit_test(who_does_not_answer_is_said_and_the_rest_shown),
		cmocka_unit_test(each_of_several_faults_has_a_line),
		cmocka_unit_test(many_rows_are_cut_in_the_text_only),
		cmocka_unit_test(long_and_strange_values_keep_the_table_in_shape),
		cmocka_unit_test(a_broken_report_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
