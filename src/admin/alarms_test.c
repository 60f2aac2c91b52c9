#include "admin/alarms.h"

#include "admin/status.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLOCK_S 1800000000

/* Healthy nodes, with ' for ". */
static const char edge[] =
	"{'node':{'name':'edge-a','role':'edge'},'settings':{'federation.enabled':'on'},"
	"'secret':'aa11','processes':[{'name':'traffic','state':'running'}],"
	"'listeners':[{'service':'s2s','address':'192.0.2.1:5269'},"
	"{'service':'link','address':'10.0.0.1:7400'}],"
	"'domains':[{'name':'example.net','federation':'on','node':'core-a'}],"
	"'certificates':[{'setting':'tls.certificate','name':'example.net',"
	"'not_after':1900000000}],'secrets':[{'node':'edge-b','secret':'aa11'}],"
	"'static_routes':{'on':2},'links':[{'node':'core-a','role':'core','state':'up',"
	"'direction':'in'}],'tunnels':[{'node':'core-a','state':'up','direction':'in',"
	"'ours':4,'acknowledged':4,'skew_ms':-300}]}";
static const char core[] =
	"{'node':{'name':'core-a','role':'core'},'settings':{'federation.enabled':'on'},"
	"'domains':[{'name':'example.net','federation':'on'}],"
	"'edges':[{'node':'edge-a','secret':'aa11'},{'node':'edge-b','secret':'aa11'}],"
	"'links':[{'node':'edge-a','role':'edge','state':'up','direction':'out',"
	"'address':'10.0.0.1:7400'},{'node':'home-a','role':'home','state':'up'}],"
	"'tunnels':[{'node':'edge-a','state':'up','direction':'out'}],"
	"'home_servers':[{'name':'home-a','address':'10.0.1.1:8443','state':'ready',"
	"'trouble':'well','foreign':''}],"
	"'others':{'edge-a':{'role':'edge','link_listeners':['10.0.0.1:7400']}}}";
static const char home[] =
	"{'node':{'name':'home-a','role':'home'},'settings':{'router.apply':'restart'},"
	"'domains':[{'name':'example.net','federation':'on'}],'loaded_revision':7,"
	"'stored':[{'cp_id':'cm.edge-a'}],'loaded':[{'cp_id':'cm.edge-a'}],"
	"'realms':[{'name':'edge-a','table':'both','link':'linked'}],"
	"'attachments':[{'name':'users','state':'up','federates':'no'}],"
	"'links':[{'node':'core-a','role':'core','state':'up','direction':'in'}],"
	"'others':{'core-a':{'role':'core','federation':true}}}";

/* Each takes the place of a list or object of a healthy node. */
static const struct {
	const char *node, *change;
	const char *raised; /* "number subject: seen" and so on */
} rows[] = {
	{ edge, "{}", "" },
	{ core, "{}", "" },
	{ home, "{}", "" },
	{ core,
	  "{'home_servers':[{'name':'home-a','address':'10.0.1.1:8443','state':'failed',"
	  "'trouble':'login','why':'the password is wrong (401)'}]}",
	  "25023 home-a: login: the password is wrong (401) (10.0.1.1:8443)" },
	{ core,
	  "{'home_servers':[{'name':'home-a','address':'a','state':'working',"
	  "'trouble':'refused','why':'no'}]}",
	  "25023 home-a: refused: no (a)" },
	{ core, "{'home_servers':[{'name':'home-a','state':'working','trouble':''}]}", "" },
	{ core,
	  "{'home_servers':[{'name':'home-a','state':'ready','trouble':'well',"
	  "'foreign':'cm.edge-x'}]}",
	  "90007 home-a: cm.edge-x" },
	{ edge, "{'listeners':[{'service':'s2s','address':'127.0.0.1:5269'}]}",
	  "25024 : listen s2s has 127.0.0.1:5269 only" },
	{ edge,
	  "{'settings':{'federation.enabled':'off'},"
	  "'listeners':[{'service':'s2s','address':'[::1]:5269'}]}",
	  "" },
	{ edge,
	  "{'listeners':[{'service':'s2s','address':'[::1]:5269'},"
	  "{'service':'s2s','address':'[2001:db8::1]:5269'}]}",
	  "" },
	{ home, "{'stored':[{'cp_id':'cm.edge-a'},{'cp_id':'cm.edge-b'}]}",
	  "15021 : loaded: cm.edge-a; stored: cm.edge-a cm.edge-b" },
	{ home, "{'loaded':[],'realms':[]}", "15021 : loaded: nothing; stored: cm.edge-a" },
	{ home, "{'loaded':[],'loaded_revision':null}", "" },
	{ home, "{'loaded':[],'settings':{'router.apply':'live'}}", "" },
	{ core,
	  "{'tunnels':[{'node':'edge-a','state':'down','direction':'out',"
	  "'why':'host-key: another key than at pairing'}]}",
	  "35013 edge-a: host-key: another key than at pairing" },
	{ core,
	  "{'tunnels':[{'node':'edge-a','state':'connecting','direction':'out',"
	  "'why':'tcp-refused: refused'}]}",
	  "35014 edge-a: tcp-refused: refused" },
	{ edge, "{'tunnels':[{'node':'core-a','state':'down','direction':'in','why':''}]}",
	  "35013 core-a: that node does not dial us" },
	{ edge, "{'tunnels':[{'node':'core-a','state':'up','skew_ms':-12000}]}",
	  "25022 core-a: its clock and ours differ by 12 s" },
	{ edge, "{'tunnels':[{'node':'core-a','state':'up','ours':5,'acknowledged':4}]}",
	  "90011 core-a: our revision is 5, it has stored 4" },
	{ edge,
	  "{'tunnels':[{'node':'core-a','state':'up','ours':5,'acknowledged':4,"
	  "'why':'theirs: no such domain'}]}",
	  "90011 core-a: theirs: no such domain" },
	{ edge, "{'levels':[{'module':'network.dns','level':'debug'}]}",
	  "25019 network.dns: log.levels has it at debug, for good" },
	{ edge, "{'levels':[{'module':'network.dns','level':'debug','until':1800000100}]}",
	  "25019 network.dns: log.levels has it at debug, until 2027-01-15T08:01:40Z" },
	{ edge, "{'diagnostics':[{'state':'running','ends':1800000100,'author':'anna'}]}",
	  "25019 diagnostic log: all modules log at debug for it, until 2027-01-15T08:01:40Z; "
	  "begun by "
	  "anna" },
	{ edge, "{'diagnostics':[{'state':'kept','ends':1800000100,'author':'anna'}]}", "" },
	{ edge,
	  "{'certificates':[{'setting':'tls.certificate','name':'a','not_after':1799999999}]}",
	  "40068 tls.certificate: a: it ended on 2027-01-15T07:59:59Z" },
	{ edge,
	  "{'certificates':[{'setting':'tls.certificate','name':'a','not_after':1800000100}]}",
	  "40069 tls.certificate: a: it ends on 2027-01-15T08:01:40Z" },
	{ core,
	  "{'links':[{'node':'edge-a','state':'down','direction':'out','why':'refused',"
	  "'address':'192.0.2.1:7400'}]}",
	  "90001 edge-a: refused (we dial 192.0.2.1:7400); it does not listen there, but on "
	  "10.0.0.1:7400: see its address in nodes" },
	{ core,
	  "{'others':{'edge-a':{'link_listeners':['0.0.0.0:7400']}},'links':[{'node':'edge-a',"
	  "'state':'down','direction':'out','why':'refused','address':'192.0.2.1:7400'}]}",
	  "90001 edge-a: refused (we dial 192.0.2.1:7400)" },
	{ edge, "{'links':[{'node':'core-a','role':'core','state':'down','direction':'in'}]}",
	  "90001 core-a: down|90013 : link to core-a: down" },
	{ edge,
	  "{'links':[{'node':'core-a','role':'core','state':'up'},"
	  "{'node':'core-b','role':'core','state':'down','why':'lost'}]}",
	  "90001 core-b: lost" },
	{ edge, "{'links':[]}", "90013 : no core is paired with this node" },
	{ home, "{'attachments':[{'name':'users','state':'down','why':'a\"b\\nc'}]}",
	  "90002 users: a'b?c" },
	{ core, "{'domains':[]}", "90003 : there is no domain" },
	{ edge, "{'domains':[{'name':'example.net','federation':'off'}]}",
	  "90003 : 1 domain, none of them on" },
	{ home, "{'attachments':[{'name':'users','state':'up','federates':'yes'}]}",
	  "90004 users: users federates by itself" },
	{ home,
	  "{'realms':[],'domains':[],"
	  "'attachments':[{'name':'users','state':'up','federates':'yes'}]}",
	  "" },
	{ core, "{'edges':[{'node':'edge-a','secret':'aa11'},{'node':'edge-b','secret':'bb22'}]}",
	  "90005 edge-b: fingerprint bb22, edge-a is aa11" },
	{ edge, "{'secrets':[{'node':'edge-b','secret':'bb22'}]}",
	  "90005 edge-b: fingerprint bb22, ours is aa11" },
	{ home, "{'realms':[{'name':'edge-a','table':'both','link':'not-linked'}]}",
	  "90006 : edge-a is not linked" },
	{ home, "{'stored':[],'loaded':[],'realms':[]}", "90006 : the table names no edge" },
	{ home, "{'realms':[],'others':{'core-a':{'role':'core','federation':false}}}", "" },
	{ edge, "{'static_routes':{'on':0}}", "90008 : federation.static_routes is empty" },
	{ edge, "{'static_routes':{'off':0}}", "" },
	{ edge, "{'dead_routes':[{'domain':'example.org','why':'refused'}]}",
	  "90009 example.org: refused" },
	{ edge, "{'faults':[{'text':'the key does not fit'}]}", "90010 : the key does not fit" },
	{ edge, "{'processes':[{'name':'traffic','state':'down','last_end':'signal 11'}]}",
	  "90012 traffic: down: signal 11" },
	{ edge, "{'silent':[{'process':'traffic','why':'does not answer'}],'links':[]}",
	  "90012 traffic: does not answer" },
};

static json_t *read(const char *text)
{
	char *copy = xstrdup(text);
	json_error_t error;
	json_t *json;

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
		else if (*at == '"') /* and the other way round, inside of strings */
			*at = '\'';
	}
	json = json_loads(copy, 0, &error);
	if (!json)
		fail_msg("%s: %s", error.text, text);
	free(copy);
	return json;
}

static json_t *status_of(const char *node, const char *change)
{
	json_t *status = status_begin(), *base = read(node), *more = read(change);

	json_object_update(status, base);
	json_object_update(status, more);
	json_decref(base);
	json_decref(more);
	return status;
}

static void update(struct alarms *alarms, const char *node, const char *change, uint64_t ms)
{
	const struct alarms_now now = { 1000000 + ms, CLOCK_S + (int64_t)ms / 1000 };
	json_t *status = status_of(node, change);

	alarms_update(alarms, status, &now);
	json_decref(status);
}

static char *raised(const struct alarms *alarms)
{
	struct buffer out = { 0 };
	json_t *list = alarms_list(alarms), *alarm;
	size_t index;

	json_array_foreach(list, index, alarm)
		buffer_printf(&out, "%s%d %s: %s", index ? "|" : "",
			      (int)json_integer_value(json_object_get(alarm, "number")),
			      json_string_value(json_object_get(alarm, "subject")),
			      json_string_value(json_object_get(alarm, "seen")));
	json_decref(list);
	return buffer_take_text(&out);
}

static void each_condition_raises_its_alarm_and_no_other(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		struct alarms *alarms = alarms_create();
		char *text;

		update(alarms, rows[i].node, rows[i].change, 0);
		update(alarms, rows[i].node, rows[i].change, 60000);
		text = raised(alarms);
		assert_string_equal(text, rows[i].raised);
		free(text);
		alarms_destroy(&alarms);
	}
}

static void every_alarm_has_a_row_above(void **state)
{
	for (enum alarm alarm = 0; alarm < ALARM_COUNT; alarm++) {
		char number[16];
		bool found = false;

		snprintf(number, sizeof(number), "%u ", alarm_rows[alarm].number);
		for (size_t i = 0; i < nitems(rows); i++)
			found |= strstr(rows[i].raised, number) != NULL;
		if (!found)
			fail_msg("%sis not tested", number);
	}
}

static const char down[] = "{'links':[{'node':'edge-a','state':'down','direction':'out'}]}";

static size_t changes(struct alarms *alarms, bool up)
{
	struct alarm_change change;
	size_t count = 0;

	while (alarms_next(alarms, &change)) {
		assert_int_equal(change.alarm, ALARM_LINK);
		assert_string_equal(change.subject, "edge-a");
		assert_int_equal(change.raised, up);
		count++;
	}
	return count;
}

static void a_link_must_be_down_for_a_while(void **state)
{
	struct alarms *alarms = alarms_create();

	update(alarms, core, "{}", 0);
	update(alarms, core, down, 20000);
	update(alarms, core, down, 20000 + ALARMS_HOLD_MS - 1);
	assert_int_equal(changes(alarms, true), 0);
	update(alarms, core, "{}", 24000);
	assert_int_equal(changes(alarms, true), 0);
	update(alarms, core, down, 25000);
	update(alarms, core, down, 25000 + ALARMS_HOLD_MS);
	assert_int_equal(changes(alarms, true), 1);
	alarms_destroy(&alarms);
}

static void each_change_is_told_once(void **state)
{
	struct alarms *alarms = alarms_create();

	update(alarms, core, down, 0);
	update(alarms, core, down, 10000);
	assert_int_equal(changes(alarms, true), 1);
	update(alarms, core, down, 12000);
	assert_int_equal(changes(alarms, true), 0);
	update(alarms, core, "{}", 14000);
	assert_int_equal(changes(alarms, false), 1);
	update(alarms, core, "{}", 16000);
	assert_int_equal(changes(alarms, false), 0);
	alarms_destroy(&alarms);
}

static void nothing_is_raised_while_the_node_starts(void **state)
{
	struct alarms *alarms = alarms_create();
	char *text;

	update(alarms, edge, "{'domains':[]}", 0);
	update(alarms, edge, "{'domains':[]}", ALARMS_START_MS - 1);
	text = raised(alarms);
	assert_string_equal(text, "");
	free(text);
	alarms_destroy(&alarms);
}

static void what_a_silent_process_would_say_stays(void **state)
{
	static const char silent[] = "{'silent':[{'process':'traffic','why':'is not running'}]}";
	struct alarms *alarms = alarms_create();
	char *text;

	update(alarms, core, down, 0);
	update(alarms, core, down, 10000);
	update(alarms, core, silent, 12000);
	text = raised(alarms);
	assert_string_equal(text, "90001 edge-a: down");
	free(text);
	update(alarms, core, "{}", 14000);
	text = raised(alarms);
	assert_string_equal(text, "");
	free(text);
	alarms_destroy(&alarms);
}

static void an_alarm_says_all_that_an_operator_wants_to_know(void **state)
{
	static const char *const keys[] = { "severity", "title", "subject", "since",
					    "seen",	"cause", "fix" };
	struct alarms *alarms = alarms_create();
	json_t *list, *alarm;

	update(alarms, core, down, 0);
	update(alarms, core, down, 10000);
	list = alarms_list(alarms);
	alarm = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(alarm, "number")), 90001);
	for (size_t i = 0; i < nitems(keys); i++)
		assert_true(json_string_length(json_object_get(alarm, keys[i])) > 0);
	assert_string_equal(json_string_value(json_object_get(alarm, "since")),
			    "2027-01-15T08:00:00Z");
	json_decref(list);
	alarms_destroy(&alarms);
}

static void their_number_and_what_was_seen_are_bounded(void **state)
{
	struct alarms *alarms = alarms_create();
	const struct alarms_now now[] = { { 0, CLOCK_S }, { 60000, CLOCK_S } };
	json_t *status = status_begin(), *list;
	char name[16], why[2000];

	memset(why, 'w', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	for (int i = 0; i < ALARMS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		json_array_append_new(json_object_get(status, "dead_routes"),
				      json_pack("{s:s, s:s}", "domain", name, "why", why));
	}
	for (size_t i = 0; i < nitems(now); i++)
		alarms_update(alarms, status, &now[i]);
	list = alarms_list(alarms);
	assert_int_equal(json_array_size(list), ALARMS_MAX);
	assert_int_equal(json_string_length(json_object_get(json_array_get(list, 0), "seen")),
			 ALARMS_SEEN_BYTES);
	json_decref(list);
	json_decref(status);
	alarms_destroy(&alarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_condition_raises_its_alarm_and_no_other),
		cmocka_unit_test(every_alarm_has_a_row_above),
		cmocka_unit_test(a_link_must_be_down_for_a_while),
		cmocka_unit_test(each_change_is_told_once),
		cmocka_unit_test(nothing_is_raised_while_the_node_starts),
		cmocka_unit_test(what_a_silent_process_would_say_stays),
		cmocka_unit_test(an_alarm_says_all_that_an_operator_wants_to_know),
		cmocka_unit_test(their_number_and_what_was_seen_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
