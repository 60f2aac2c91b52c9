#include "admin/doctor.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "tables/symptoms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Healthy nodes, with ' for ". */
static const char edge[] =
	"{'node':{'name':'edge-a','role':'edge'},'settings':{'federation.enabled':'on'},"
	"'listeners':[{'service':'s2s','address':'192.0.2.1:5269'},{'service':'link','address':"
	"'10.0.0.1:7400'}],'domains':[{'name':'example.net','federation':'on'},"
	"{'name':'rooms.example.net','federation':'on'},{'name':'inner.example','federation':'off'}"
	"],"
	"'certificates':[{'setting':'tls.certificate','names':'example.net','uncovered':''}],"
	"'peers':[{'domain':'partner.example','failure':'','failed_seconds':''}],'alarms':[]}";
static const char core[] =
	"{'node':{'name':'core-a','role':'core'},'settings':{'federation.enabled':'on'},"
	"'domains':[{'name':'example.net','federation':'on'}],"
	"'edges':[{'node':'edge-a','federation':'on'},{'node':'edge-b','federation':'off'}],"
	"'home_servers':[{'name':'home-a','address':'10.0.1.1:8443','state':'ready',"
	"'trouble':'well','rows':'cm.edge-a cm.edge-b'}]}";
static const char home[] =
	"{'node':{'name':'home-a','role':'home'},'stored':[{'cp_id':'cm.edge-a'}],"
	"'domains':[{'name':'example.net','federation':'on'}]}";

static json_t *load(const char *text)
{
	char *copy = xstrdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json = json_loads(copy, 0, &error);
	if (!json)
		fail_msg("%s: %s", error.text, text);
	free(copy);
	return json;
}

/* "5 : seen|33 a.example: seen"; `with_seen`: what was seen too. */
static char *list_of(const json_t *report, bool with_seen)
{
	struct buffer out = { 0 };
	size_t index;
	json_t *finding;

	json_array_foreach(json_object_get(report, "findings"), index, finding)
	{
		const char *subject = json_string_value(json_object_get(finding, "subject"));

		buffer_printf(&out, "%s%d%s%s", index ? "|" : "",
			      (int)json_integer_value(json_object_get(finding, "symptom")),
			      *subject ? " " : "", subject);
		if (with_seen)
			buffer_printf(&out, ": %s",
				      json_string_value(json_object_get(finding, "seen")));
	}
	return buffer_take_text(&out);
}

static json_t *look_at(const char *node, const char *change, const char *probes)
{
	json_t *status = load(node), *changed = load(change);
	json_t *probed = probes ? load(probes) : NULL, *report;

	json_object_update(status, changed);
	report = doctor_look(
		&(struct doctor_sight){ .status = status, .probes = probed, .release = "1.0" });
	json_decref(status);
	json_decref(changed);
	json_decref(probed);
	return report;
}

#define ALARM(number, subject, seen)                                                               \
	"{'alarms':[{'number':" number ",'severity':'error','subject':'" subject "','seen':'" seen \
	"'}]}"
#define PEER(domain, failure, why)                                                                 \
	"{'peers':[{'domain':'partner.example','failure':'','failed_seconds':''},{'domain':"       \
	"'" domain "','failure':'" failure "','failed_seconds':7,'why':'" why "','waiting':0}]}"

static const struct {
	const char *node, *change, *probes, *found;
} rows[] = {
	{ edge, "{}", NULL, "" },
	{ core, "{}", NULL, "" },
	{ home, "{}", NULL, "" },
	/* alarms */
	{ core, ALARM("25023", "home-a", "login: wrong (401)"), NULL,
	  "1 home-a: login: wrong (401)" },
	{ core, ALARM("25023", "home-a", "role: (403)"), NULL, "2 home-a: role: (403)" },
	{ core, ALARM("25023", "home-a", "version: (599)"), NULL, "3 home-a: version: (599)" },
	{ core, ALARM("25023", "home-a", "timeout: x"), NULL, "4 home-a: timeout: x" },
	{ core, ALARM("25023", "home-a", "timeout: x"),
	  "{'home_servers':[{'name':'home-a','result':'10.0.1.1:8443 takes connections'}]}",
	  "4 home-a: timeout: x; its port, tried now: 10.0.1.1:8443 takes connections" },
	{ home, ALARM("15021", "", "loaded: a; stored: b"), NULL, "8: loaded: a; stored: b" },
	{ home,
	  "{'notifications':[{'number':1}],'alarms':[{'number':15021,'subject':'','seen':'s'}]}",
	  NULL, "7: s" },
	{ core, ALARM("90001", "edge-a", "tcp-timeout"), NULL, "13 edge-a: tcp-timeout" },
	{ core, ALARM("90001", "edge-a", "refused; it does not listen there, but on x"), NULL,
	  "14 edge-a: refused; it does not listen there, but on x" },
	{ edge, ALARM("40069", "tls.certificate", "it ends"), NULL, "41 tls.certificate: it ends" },
	{ edge, ALARM("90013", "", "link to core-a: down"), NULL, "10: link to core-a: down" },
	{ edge, ALARM("25019", "all", "at debug"), NULL, "" }, /* by the levels themselves */
	{ edge, ALARM("99999", "", "of a later release"), NULL, "" },
	/* levels that end by themselves are meant */
	{ edge, "{'levels':[{'module':'all','level':'debug','until':1900000000}]}", NULL, "" },
	{ edge, "{'levels':[{'module':'a','level':'debug','until':0},{'module':'b','until':0}]}",
	  NULL, "109: a, b" },
	/* the switch */
	{ core, "{'edges':[{'node':'edge-a','federation':'off'},{'node':'b','federation':'off'}]}",
	  NULL, "40: off on edge-a, b" },
	{ core, "{'edges':[]}", NULL, "" },
	{ core, "{'domains':[],'edges':[{'node':'edge-a','federation':'off'}]}", NULL, "" },
	{ edge, "{'settings':{'federation.enabled':'off'}}", NULL, "" },
	{ edge,
	  "{'settings':{'federation.enabled':'off'},'others':{'core-a':{'role':'core',"
	  "'federation':false}}}",
	  NULL, "40: off on edge-a, and core-a says that no other edge has it on" },
	/* our own names */
	{ edge, "{}", "{'domains':[{'domain':'example.net','result':'ok','says':'fine'}]}", "" },
	{ edge, "{}", "{'domains':[{'domain':'example.net','result':'unknown','says':'NAT'}]}",
	  "" },
	{ edge, "{}", "{'domains':[{'domain':'example.net','result':'bad','says':'no record'}]}",
	  "21 example.net: no record" },
	{ edge, "{}",
	  "{'domains':[{'domain':'example.net','result':'ok'},"
	  "{'domain':'rooms.example.net','result':'bad','says':'no record'}]}",
	  "18 rooms.example.net: no record; well is that of example.net" },
	{ edge, "{}",
	  "{'domains':[{'domain':'example.net','result':'bad','says':'a'},"
	  "{'domain':'rooms.example.net','result':'bad','says':'b'}]}",
	  "21 example.net: a|21 rooms.example.net: b" },
	{ edge, "{}", "{'resolver':{'result':'bad','says':'no answer'}}", "104: no answer" },
	{ edge,
	  "{'certificates':[{'setting':'tls.certificate','names':'a','uncovered':"
	  "'example.net, rooms.example.net'}]}",
	  NULL,
	  "30 example.net: our certificate (tls.certificate) does not name it; it names a|"
	  "30 rooms.example.net: our certificate (tls.certificate) does not name it; it names a" },
	{ edge,
	  "{'certificates':[{'setting':'tls.certificate','names':'a','uncovered':"
	  "'rooms.example.net'}]}",
	  NULL,
	  "18 rooms.example.net: our certificate (tls.certificate) does not name it; it names a" },
	/* partners */
	{ edge, PEER("x.example", "not-on-allow-list", "w"), NULL,
	  "17 x.example: not-on-allow-list: w, 7 s ago" },
	{ edge, PEER("rooms.partner.example", "not-on-allow-list", ""), NULL,
	  "18 rooms.partner.example: not-on-allow-list, 7 s ago; users of partner.example pass" },
	{ edge, PEER("x.example", "on-deny-list", ""), NULL, "" }, /* is meant */
	{ edge, PEER("x.example", "link-down", ""), NULL, "" },
	{ edge, PEER("x.example", "no-such-name-of-a-failure", ""), NULL, "" },
	{ edge, PEER("x.example", "no-such-domain", ""),
	  "{'partners':[{'domain':'x.example','result':'ok','says':'is found'}]}",
	  "20 x.example: no-such-domain, 7 s ago; looked up now: is found" },
	{ edge, PEER("x.example", "dialback-refused", ""), NULL,
	  "22 x.example: dialback-refused, 7 s ago" },
	{ edge, PEER("x.example", "timeout", "no answer in state wait-result"), NULL,
	  "23 x.example: timeout: no answer in state wait-result, 7 s ago" },
	{ edge, PEER("x.example", "timeout", "no answer in state wait-features"), NULL,
	  "106 x.example: timeout: no answer in state wait-features, 7 s ago" },
	{ edge, PEER("x.example", "dialback-error", "an error: remote-server-not-found"), NULL,
	  "24 x.example: dialback-error: an error: remote-server-not-found, 7 s ago" },
	{ edge, PEER("x.example", "dialback-error", "an error: internal"), NULL,
	  "23 x.example: dialback-error: an error: internal, 7 s ago" },
	{ edge, PEER("x.example", "no-tls", ""), NULL, "28 x.example: no-tls, 7 s ago" },
	{ edge, PEER("x.example", "certificate-refused", "certificate has expired"), NULL,
	  "30 x.example: certificate-refused: certificate has expired, 7 s ago" },
	{ edge, PEER("x.example", "certificate-refused", "self-signed certificate"), NULL,
	  "31 x.example: certificate-refused: self-signed certificate, 7 s ago" },
	{ edge,
	  "{'peers':[{'domain':'x.example','failure':'no-tls','failed_seconds':601,'why':''}]}",
	  NULL, "" }, /* old news */
	{ edge, "{'dead_routes':[{'domain':'x.example','why':'refused'}]}",
	  "{'routes':[{'domain':'x.example','result':'ok','says':'192.0.2.9:5269 answers'}]}",
	  "33 x.example: refused; by DNS: 192.0.2.9:5269 answers" },
	/* what may be anything */
	{ edge, "{'peers':[7,null,{}],'alarms':{'a':1},'levels':'x','certificates':[[]]}", NULL,
	  "" },
};

static void each_symptom_is_found_by_what_shows_it(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		json_t *report = look_at(rows[i].node, rows[i].change, rows[i].probes);
		char *found = list_of(report, true);

		if (strcmp(found, rows[i].found) != 0)
			fail_msg("row %zu: %s: found %s, not %s", i, rows[i].change, found,
				 rows[i].found);
		free(found);
		json_decref(report);
	}
}

static const json_t *check_of(const json_t *report, int symptom)
{
	size_t index;
	json_t *check;

	json_array_foreach(json_object_get(report, "checks"), index, check)
	{
		if (json_integer_value(json_object_get(check, "symptom")) == symptom)
			return check;
	}
	return NULL;
}

static const char *result_of(const json_t *report, int symptom)
{
	const json_t *check = check_of(report, symptom);

	return check ? json_string_value(json_object_get(check, "result")) : "not there";
}

static void what_could_not_be_checked_is_said(void **state)
{
	json_t *report =
		look_at(edge,
			"{'silent':[{'process':'traffic','why':'does not answer'}],'levels':[{"
			"'module':'a','until':0}]}",
			"{}");

	assert_string_equal(result_of(report, 109), "found");
	assert_string_equal(result_of(report, 16), "ok");
	assert_string_equal(result_of(report, 28), "skipped");
	assert_string_equal(json_string_value(json_object_get(check_of(report, 28), "why")),
			    "traffic does not answer");
	assert_string_equal(result_of(report, 21), "skipped");	/* nothing was looked up */
	assert_string_equal(result_of(report, 1), "not there"); /* of a core */
	json_decref(report);
}

static void every_symptom_that_doctor_names_is_somebodys_check(void **state)
{
	static const char *const nodes[] = { edge, core, home };
	bool checked[SYMPTOM_COUNT] = { false };

	for (size_t i = 0; i < nitems(nodes); i++) {
		json_t *report = look_at(nodes[i], "{}", NULL);

		for (enum symptom s = 0; s < SYMPTOM_COUNT; s++)
			checked[s] |= check_of(report, (int)symptom_rows[s].number) != NULL;
		json_decref(report);
	}
	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		bool is_of_several =
			s == SYMPTOM_NODE_GONE || s == SYMPTOM_RELEASES || s == SYMPTOM_CANNOT_LOOK;

		if (checked[s] != (symptom_rows[s].applies == SYMPTOM_DOCTOR && !is_of_several))
			fail_msg("symptom %u", symptom_rows[s].number);
	}
}

static void what_is_looked_for_follows_from_the_status(void **state)
{
	json_t *status = load(edge), *plan, *wanted;
	json_t *change = load("{'dead_routes':[{'domain':'r.example','why':''}],'peers':["
			      "{'domain':'a.example','failure':'no-such-domain'},"
			      "{'domain':'b.example','failure':'no-tls'}]}");

	json_object_update(status, change);
	plan = doctor_plan(status);
	wanted = load("{'domains':['example.net','rooms.example.net'],'routes':['r.example'],"
		      "'partners':['a.example'],'home_servers':[],'own':['192.0.2.1:5269']}");
	assert_true(json_equal(plan, wanted));
	json_decref(wanted);
	json_decref(plan);
	json_decref(change);
	json_decref(status);
}

/* Several nodes */

static json_t *unite(json_t *own, json_t *edge_report, json_t *home_report)
{
	struct doctor_other others[] = {
		{ "edge-a", "edge", edge_report, edge_report ? NULL : "its tunnel is down",
		  edge_report ? NULL : "tcp-timeout: x" },
		{ "home-a", "home", home_report, home_report ? NULL : "it did not answer in time",
		  NULL },
	};
	json_t *united = doctor_unite(own, others, nitems(others), 1234);

	json_decref(own);
	json_decref(edge_report);
	json_decref(home_report);
	return united;
}

#define TWO(a, b) "{'alarms':[" a "," b "]}"
#define ONE(number, subject, seen) "{'number':" number ",'subject':'" subject "','seen':'" seen "'}"

/* What each node sees, and what is named in the end: causes alone. */
static const struct {
	const char *core, *edge, *home; /* NULL: it cannot be asked */
	const char *found;
} deployments[] = {
	{ "{}", "{}", "{}", "" },
	{ ALARM("25023", "home-a", "login: x"), "{}", ALARM("90006", "", "no edge"), "1 home-a" },
	{ "{}", "{}", ALARM("90006", "", "no edge"), "5" },
	{ ALARM("90001", "edge-a", "tcp-timeout"),
	  TWO(ONE("90001", "core-a", "down"), ONE("90013", "", "x")), ALARM("90006", "", "y"),
	  "13 edge-a" },
	{ ALARM("35014", "edge-a", "tcp-refused: x"), NULL, "{}", "11 edge-a" },
	{ ALARM("35013", "edge-a", "host-key: x"), NULL, "{}", "11 edge-a" },
	{ TWO(ONE("35014", "edge-a", "tcp-refused: x"), ONE("90001", "edge-a", "tcp-refused")),
	  NULL, ALARM("90006", "", "y"), "103 edge-a" },
	{ TWO(ONE("35013", "edge-a", "host-key: x"), ONE("90001", "edge-a", "another key")), NULL,
	  "{}", "11 edge-a" },
	{ "{}", "{}", NULL, "112 home-a" },
	{ "{}", NULL, "{}", "11 edge-a" }, /* before its alarm */
	{ ALARM("90001", "edge-a", "tcp-timeout"), NULL, "{}", "103 edge-a" },
	{ ALARM("25022", "edge-a", "300 s"), ALARM("25022", "core-a", "300 s"), "{}", "38 edge-a" },
	{ ALARM("90003", "", "none"), ALARM("90003", "", "none"), "{}", "16" },
	{ ALARM("90005", "edge-b", "differ"), ALARM("90005", "edge-b", "differ"), "{}",
	  "22 edge-b" },
	{ "{}", "{}", "{'stored':[{'cp_id':'cm.edge-a'},{'cp_id':'cm.gone'}]}", "6 home-a" },
	{ "{}", "{}", "{'stored':[{'cp_id':'cm.edge'}]}", "6 home-a" }, /* of a shorter name */
	{ ALARM("25023", "home-a", "timeout: x"), "{}", "{'stored':[{'cp_id':'cm.gone'}]}",
	  "4 home-a" },
	{ "{}", TWO(ONE("90012", "traffic", "down"), ONE("90001", "core-a", "x")), "{}",
	  "102 traffic" },
};

static void a_cause_is_named_and_what_follows_is_not(void **state)
{
	for (size_t i = 0; i < nitems(deployments); i++) {
		const char *at_edge = deployments[i].edge, *at_home = deployments[i].home;
		json_t *united = unite(look_at(core, deployments[i].core, NULL),
				       at_edge ? look_at(edge, at_edge, NULL) : NULL,
				       at_home ? look_at(home, at_home, NULL) : NULL);
		char *found = list_of(united, false);

		if (strcmp(found, deployments[i].found) != 0)
			fail_msg("row %zu: found %s, not %s", i, found, deployments[i].found);
		free(found);
		json_decref(united);
	}
}

static void a_consequence_is_listed_with_its_cause(void **state)
{
	json_t *united = unite(look_at(core, ALARM("90001", "edge-a", "tcp-timeout"), NULL),
			       look_at(edge, ALARM("90013", "", "x"), NULL),
			       look_at(home, ALARM("90006", "", "y"), NULL));
	const json_t *finding = json_array_get(json_object_get(united, "findings"), 0);
	json_t *wanted = load("[{'symptom':10,'node':'edge-a','subject':'','title':"
			      "'federation is on at the edge and cannot take part'},"
			      "{'symptom':5,'node':'home-a','subject':'','title':"
			      "'the home server\\u0027s table names no edge that can be used'}]");

	assert_true(json_equal(json_object_get(finding, "consequences"), wanted));
	json_decref(wanted);
	json_decref(united);
}

static void nodes_of_different_releases_are_named(void **state)
{
	json_t *older = look_at(edge, "{}", NULL), *united;
	char *found;

	json_object_set_new(json_object_get(older, "facts"), "release", json_string("0.9"));
	united = unite(look_at(core, "{}", NULL), older, look_at(home, "{}", NULL));
	found = list_of(united, true);
	assert_string_equal(found, "111 edge-a: core-a has 1.0, edge-a has 0.9");
	free(found);
	json_decref(united);
}

/* It speaks for itself alone, in our words. */
static void a_hostile_node_can_invent_nothing_but_its_own_findings(void **state)
{
	json_t *said = load("{'findings':[{'symptom':5,'node':'core-a','severity':'apocalypse',"
			    "'title':'x','fix':'run this','command':'rm','subject':'a\\nb',"
			    "'seen':7,'consequences':[{'symptom':13,'node':'core-a'},"
			    "{'symptom':-4},{'symptom':'x'},3]},{'symptom':12},{'symptom':0},"
			    "{'symptom':4294967297},7,null],"
			    "'checks':[{'symptom':1,'result':'wonderful','node':'core-a'},{}],"
			    "'facts':7}");
	json_t *united = unite(look_at(core, "{}", NULL), said, look_at(home, "{}", NULL));
	const json_t *finding = json_array_get(json_object_get(united, "findings"), 0);

	assert_int_equal(json_array_size(json_object_get(united, "findings")), 1);
	assert_string_equal(json_string_value(json_object_get(finding, "node")), "edge-a");
	assert_string_equal(json_string_value(json_object_get(finding, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(finding, "subject")), "a?b");
	assert_string_equal(json_string_value(json_object_get(finding, "fix")),
			    symptom_rows[SYMPTOM_NO_EDGE].fix);
	assert_string_equal(json_string_value(json_object_get(finding, "command")),
			    "sallyport home-server refresh");
	assert_int_equal(json_array_size(json_object_get(finding, "consequences")), 1);
	json_decref(united);
}

/* People paste it into a shell. */
static void a_command_has_of_a_hostile_node_no_more_than_a_word(void **state)
{
	static const struct {
		const char *subject, *command;
	} words[] = {
		{ "far.example", "sallyport why far.example" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "sallyport why b\xc3\xbc"
		  "cher.example" },
		{ "x; reboot", "sallyport why ..." },
		{ "x$(reboot)", "sallyport why ..." },
		{ "--help", "sallyport why ..." },
		{ "", "sallyport why ..." },
	};

	for (size_t i = 0; i < nitems(words); i++) {
		json_t *said = json_pack("{s:[{s:i, s:s}]}", "findings", "symptom", 107, "subject",
					 words[i].subject);
		json_t *united = unite(look_at(core, "{}", NULL), said, look_at(home, "{}", NULL));
		const json_t *finding = json_array_get(json_object_get(united, "findings"), 0);

		assert_string_equal(json_string_value(json_object_get(finding, "command")),
				    words[i].command);
		json_decref(united);
	}
}

static void the_text_fits_and_begins_with_the_worst(void **state)
{
	char *seen = xcalloc(1, 401), *change, *text, *line, *place = NULL;
	json_t *united;
	const char *warning, *error;

	for (size_t i = 0; i < 400; i++)
		seen[i] = i % 7 ? 'x' : ' ';
	change = xasprintf("{'alarms':[{'number':90008,'subject':'','seen':'%s'},"
			   "{'number':90010,'subject':'','seen':'f'}]}",
			   seen);
	united = unite(look_at(core, "{}", NULL), look_at(edge, change, NULL), NULL);
	text = doctor_text(united);
	assert_int_equal(strncmp(text, "3 findings\n", 11), 0);
	error = strstr(text, "! error 39 on edge-a");
	warning = strstr(text, "! warning 34 on edge-a");
	assert_true(error && warning && error < warning);
	assert_non_null(strstr(text, "home-a: it did not answer in time"));
	assert_non_null(strstr(text, "1.2 s"));
	for (line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		if (strlen(line) > 80)
			fail_msg("%zu columns: %s", strlen(line), line);
	}
	free(text);
	free(seen);
	free(change);
	json_decref(united);
}

static void health_is_said_in_one_line(void **state)
{
	json_t *united = unite(look_at(core, "{}", NULL), look_at(edge, "{}", "{}"),
			       look_at(home, "{}", NULL));
	char *text = doctor_text(united);

	assert_int_equal(strncmp(text, "all is well\n", 12), 0);
	assert_string_equal(json_string_value(json_object_get(united, "verdict")), "all is well");
	free(text);
	json_decref(united);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_symptom_is_found_by_what_shows_it),
		cmocka_unit_test(what_could_not_be_checked_is_said),
		cmocka_unit_test(every_symptom_that_doctor_names_is_somebodys_check),
		cmocka_unit_test(what_is_looked_for_follows_from_the_status),
		cmocka_unit_test(a_cause_is_named_and_what_follows_is_not),
		cmocka_unit_test(a_consequence_is_listed_with_its_cause),
		cmocka_unit_test(nodes_of_different_releases_are_named),
		cmocka_unit_test(a_hostile_node_can_invent_nothing_but_its_own_findings),
		cmocka_unit_test(a_command_has_of_a_hostile_node_no_more_than_a_word),
		cmocka_unit_test(the_text_fits_and_begins_with_the_worst),
		cmocka_unit_test(health_is_said_in_one_line),
	};

	json_set_alloc_funcs(xmalloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
