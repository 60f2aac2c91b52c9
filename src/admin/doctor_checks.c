#include "admin/doctor_checks.h"

#include "base/alloc.h"

#include <stdlib.h>

#define each(view, list, row)                                                                      \
	for (size_t row##_at = 0;                                                                  \
	     (row = json_array_get(json_object_get((view)->status, list), row##_at)); row##_at++)

const struct doctor_check doctor_checks[SYMPTOM_COUNT] = {
	[SYMPTOM_AXL_LOGIN] = { DOCTOR_CORE },
	[SYMPTOM_AXL_ROLE] = { DOCTOR_CORE },
	[SYMPTOM_AXL_VERSION] = { DOCTOR_CORE },
	[SYMPTOM_AXL_SERVICE] = { DOCTOR_CORE },
	[SYMPTOM_NO_EDGE] = { DOCTOR_HOME, "traffic" },
	[SYMPTOM_STALE_ROW] = { DOCTOR_CORE },
	[SYMPTOM_RESTART_DUE] = { DOCTOR_HOME, "control" },
	[SYMPTOM_RESTART_UNTOLD] = { DOCTOR_HOME, "control" },
	[SYMPTOM_BOTH_FEDERATE] = { DOCTOR_CORE | DOCTOR_HOME, "traffic" },
	[SYMPTOM_INACTIVE] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_TUNNEL_DOWN] = { DOCTOR_ALL },
	[SYMPTOM_LINK_DOWN] = { DOCTOR_ALL, "traffic" },
	[SYMPTOM_LINK_ADDRESS] = { DOCTOR_CORE, "traffic" },
	[SYMPTOM_CLOCK] = { DOCTOR_ALL },
	[SYMPTOM_NOT_IN_FORCE] = { DOCTOR_ALL, "traffic" },
	[SYMPTOM_SWITCHED_OFF] = { DOCTOR_EDGE | DOCTOR_CORE, "control" },
	[SYMPTOM_NO_DOMAIN] = { DOCTOR_EDGE | DOCTOR_CORE, "control" },
	[SYMPTOM_NOT_ALLOWED] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_CHAT_DOMAIN] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_NO_RECORD] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_OWN_RECORD] = { DOCTOR_EDGE, "control", "domains" },
	[SYMPTOM_ROUTE_DEAD] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_ROUTES_EMPTY] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_KEY_INVALID] = { DOCTOR_EDGE | DOCTOR_CORE, "control" },
	[SYMPTOM_DIALBACK_SILENT] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_NOT_FOUND_THERE] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_NO_TLS] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_WRONG_NAME] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_UNKNOWN_ISSUER] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_EXPIRES] = { DOCTOR_EDGE | DOCTOR_HOME, "control" },
	[SYMPTOM_ATTACHMENT] = { DOCTOR_CORE | DOCTOR_HOME, "traffic" },
	[SYMPTOM_PROCESS] = { DOCTOR_ALL },
	[SYMPTOM_RESOLVER] = { DOCTOR_EDGE, NULL, "domains" },
	[SYMPTOM_PARTNER_DNS] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_PARTNER_DOWN] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_PARTNER_BROKEN] = { DOCTOR_EDGE, "traffic" },
	[SYMPTOM_REPLICA] = { DOCTOR_ALL },
	[SYMPTOM_VERBOSE] = { DOCTOR_ALL, "control" },
	[SYMPTOM_LOOPBACK] = { DOCTOR_EDGE, "control" },
};

bool doctor_lists(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; len && (at = strstr(at, word)); at += len) {
		bool is_begin = at == list || strchr(", ", at[-1]);

		if (is_begin && strchr(", ", at[len])) /* which finds the end too */
			return true;
	}
	return false;
}

static bool begins(const char *word, const char *with)
{
	return strncmp(word, with, strlen(with)) == 0;
}

static void see_alarm(const struct doctor_view *view, enum symptom symptom, const json_t *alarm)
{
	view->see(view, symptom, NULL, doctor_text_of(alarm, "subject"),
		  xstrdup(doctor_text_of(alarm, "seen")));
}

/* The trouble's name stands first in what was seen (axl/sync.h). */
static void axl(const struct doctor_view *view, const json_t *alarm)
{
	const char *seen = doctor_text_of(alarm, "seen"), *name = doctor_text_of(alarm, "subject");
	enum symptom symptom = begins(seen, "login:")	  ? SYMPTOM_AXL_LOGIN
			       : begins(seen, "role:")	  ? SYMPTOM_AXL_ROLE
			       : begins(seen, "version:") ? SYMPTOM_AXL_VERSION
							  : SYMPTOM_AXL_SERVICE;
	json_t *probe;
	size_t index;

	json_array_foreach(json_object_get(view->probes, "home_servers"), index, probe)
	{
		if (symptom == SYMPTOM_AXL_SERVICE && doctor_is(probe, "name", name)) {
			view->see(view, symptom, NULL, name,
				  xasprintf("%s; its port, tried now: %s", seen,
					    doctor_text_of(probe, "result")));
			return;
		}
	}
	see_alarm(view, symptom, alarm);
}

static void link_down(const struct doctor_view *view, const json_t *alarm)
{
	bool elsewhere = strstr(doctor_text_of(alarm, "seen"), "it does not listen there");

	see_alarm(view, elsewhere ? SYMPTOM_LINK_ADDRESS : SYMPTOM_LINK_DOWN, alarm);
}

static void restart(const struct doctor_view *view, const json_t *alarm)
{
	bool told = json_array_size(json_object_get(view->status, "notifications"));

	see_alarm(view, told ? SYMPTOM_RESTART_DUE : SYMPTOM_RESTART_UNTOLD, alarm);
}

static void certificate_ends(const struct doctor_view *view, const json_t *alarm)
{
	bool has_ended = doctor_is(alarm, "severity", "critical");

	view->see(view, SYMPTOM_EXPIRES, has_ended ? NULL : "warning",
		  doctor_text_of(alarm, "subject"), xstrdup(doctor_text_of(alarm, "seen")));
}

/* An alarm is a symptom, or tells which of several it is. */
static const struct {
	json_int_t number;
	enum symptom symptom;
	void (*tell)(const struct doctor_view *view, const json_t *alarm);
} alarms[] = {
	{ 15021, 0, restart },
	{ 25022, SYMPTOM_CLOCK },
	{ 25023, 0, axl },
	{ 25024, SYMPTOM_LOOPBACK },
	{ 35013, SYMPTOM_TUNNEL_DOWN },
	{ 35014, SYMPTOM_TUNNEL_DOWN },
	{ 40068, 0, certificate_ends },
	{ 40069, 0, certificate_ends },
	{ 90001, 0, link_down },
	{ 90002, SYMPTOM_ATTACHMENT },
	{ 90003, SYMPTOM_NO_DOMAIN },
	{ 90004, SYMPTOM_BOTH_FEDERATE },
	{ 90005, SYMPTOM_KEY_INVALID },
	{ 90006, SYMPTOM_NO_EDGE },
	{ 90007, SYMPTOM_STALE_ROW },
	{ 90008, SYMPTOM_ROUTES_EMPTY },
	{ 90010, SYMPTOM_NOT_IN_FORCE },
	{ 90011, SYMPTOM_REPLICA },
	{ 90012, SYMPTOM_PROCESS },
	{ 90013, SYMPTOM_INACTIVE },
};

static void tell(const struct doctor_view *view, const json_t *alarm)
{
	json_int_t number = json_integer_value(json_object_get(alarm, "number"));

	for (size_t i = 0; i < nitems(alarms); i++) {
		if (alarms[i].number != number)
			continue;
		if (alarms[i].tell)
			alarms[i].tell(view, alarm);
		else
			see_alarm(view, alarms[i].symptom, alarm);
	}
}

/* Levels that end by themselves are somebody's search that goes on. */
static void verbose(const struct doctor_view *view)
{
	struct buffer modules = { 0 };
	const json_t *level;
	char *seen;

	each(view, "levels", level)
	{
		if (json_integer_value(json_object_get(level, "until")) == 0)
			buffer_printf(&modules, "%s%s", buffer_len(&modules) ? ", " : "",
				      doctor_text_of(level, "module"));
	}
	seen = buffer_take_text(&modules);
	if (*seen)
		view->see(view, SYMPTOM_VERBOSE, NULL, "", seen);
	else
		free(seen);
}

static size_t federated_domains(const struct doctor_view *view)
{
	const json_t *domain;
	size_t count = 0;

	each(view, "domains", domain) count += doctor_is(domain, "federation", "on");
	return count;
}

static void core_is_off(const struct doctor_view *view)
{
	struct buffer seen = { 0 };
	const json_t *edge;

	each(view, "edges", edge)
	{
		if (doctor_is(edge, "federation", "on")) {
			buffer_finish(&seen);
			return;
		}
		buffer_printf(&seen, "%s%s", buffer_len(&seen) ? ", " : "off on ",
			      doctor_text_of(edge, "node"));
	}
	if (!buffer_len(&seen))
		return; /* no edge is paired, or none has told yet */
	view->see(view, SYMPTOM_SWITCHED_OFF, NULL, "", buffer_take_text(&seen));
}

/* Of several edges one may be off; its core says whether all are. */
static void edge_is_off(const struct doctor_view *view)
{
	const json_t *settings = json_object_get(view->status, "settings");
	const char *name;
	json_t *other;

	if (!doctor_is(settings, "federation.enabled", "off"))
		return;
	json_object_foreach(json_object_get(view->status, "others"), name, other)
	{
		if (doctor_is(other, "role", "core") &&
		    json_is_false(json_object_get(other, "federation"))) {
			view->see(view, SYMPTOM_SWITCHED_OFF, NULL, "",
				  xasprintf("off on %s, and %s says that no other edge has it on",
					    view->node, name));
			return;
		}
	}
}

void doctor_check_node(const struct doctor_view *view)
{
	const json_t *alarm;

	each(view, "alarms", alarm) tell(view, alarm);
	verbose(view);
	if (federated_domains(view) && strcmp(view->role, "core") == 0)
		core_is_off(view);
	else if (federated_domains(view) && strcmp(view->role, "edge") == 0)
		edge_is_off(view);
}
