#include "admin/doctor.h"

#include "admin/doctor_checks.h"
#include "admin/doctor_finding.h"
#include "admin/doctor_fold.h"
#include "base/alloc.h"

#include <stdlib.h>

/* Of what another node says, only what a finding consists of, in its name. */
static void take_finding(json_t *findings, const char *node, const json_t *said)
{
	enum symptom symptom = doctor_symptom(said);
	const char *severity = doctor_text_of(said, "severity");
	json_t *taken, *consequence;
	size_t index;

	if (symptom == SYMPTOM_COUNT || symptom_rows[symptom].applies != SYMPTOM_DOCTOR)
		return;
	if (strcmp(severity, "critical") != 0 && strcmp(severity, "error") != 0)
		severity = "warning";
	taken = doctor_finding(symptom, node, severity, doctor_text_of(said, "subject"),
			       xstrdup(doctor_text_of(said, "seen")));
	json_array_foreach(json_object_get(said, "consequences"), index, consequence)
	{
		enum symptom s = doctor_symptom(consequence);

		if (s != SYMPTOM_COUNT && index < DOCTOR_FINDINGS_MAX)
			json_array_append_new(
				json_object_get(taken, "consequences"),
				json_pack("{s:i, s:s, s:o, s:s}", "symptom",
					  (int)symptom_rows[s].number, "node", node, "subject",
					  doctor_line(doctor_text_of(consequence, "subject")),
					  "title", symptom_rows[s].title));
	}
	json_array_append_new(findings, taken);
}

static void take_check(json_t *checks, const char *node, const json_t *said)
{
	enum symptom symptom = doctor_symptom(said);
	const char *result = doctor_text_of(said, "result");

	if (symptom == SYMPTOM_COUNT)
		return;
	if (strcmp(result, "ok") != 0 && strcmp(result, "found") != 0)
		result = "skipped";
	json_array_append_new(checks,
			      json_pack("{s:i, s:s, s:s, s:s, s:o}", "symptom",
					(int)symptom_rows[symptom].number, "name",
					symptom_rows[symptom].name, "node", node, "result", result,
					"why", doctor_line(doctor_text_of(said, "why"))));
}

/* A home node's stored table against what this core wants in it. */
static void compare_tables(json_t *findings, const json_t *own, const struct doctor_other *other)
{
	const json_t *stored = json_object_get(json_object_get(other->report, "facts"), "stored");
	const json_t *servers = json_object_get(json_object_get(own, "facts"), "home_servers");
	size_t index, at;
	json_t *server, *row;

	json_array_foreach(servers, index, server)
	{
		const char *wanted = doctor_text_of(server, "rows");

		if (!doctor_is(server, "name", other->name) ||
		    doctor_is(server, "state", "working"))
			continue;
		json_array_foreach(stored, at, row)
		{
			const char *cp_id = doctor_text_of(row, "cp_id");

			if (*cp_id && !doctor_lists(wanted, cp_id) && at < DOCTOR_FINDINGS_MAX)
				json_array_append_new(
					findings,
					doctor_finding(
						SYMPTOM_STALE_ROW, other->name, NULL, other->name,
						xasprintf("its table has %s, wanted is %s", cp_id,
							  *wanted ? wanted : "nothing")));
		}
	}
}

static void compare(json_t *findings, const json_t *own, const struct doctor_other *other)
{
	const char *node = doctor_text_of(json_object_get(own, "node"), "name");
	const char *ours = doctor_text_of(json_object_get(own, "facts"), "release");
	const char *theirs = doctor_text_of(json_object_get(other->report, "facts"), "release");

	if (*ours && *theirs && strcmp(ours, theirs) != 0)
		json_array_append_new(findings,
				      doctor_finding(SYMPTOM_RELEASES, node, NULL, other->name,
						     xasprintf("%s has %s, %s has %s", node, ours,
							       other->name, theirs)));
	compare_tables(findings, own, other);
}

static const json_t *about(const json_t *findings, enum symptom symptom, const char *node,
			   const char *subject)
{
	size_t index;
	json_t *row;

	json_array_foreach(findings, index, row)
	{
		if (json_integer_value(json_object_get(row, "symptom")) ==
			    (json_int_t)symptom_rows[symptom].number &&
		    doctor_is(row, "node", node) && doctor_is(row, "subject", subject))
			return row;
	}
	return NULL;
}

/* As the alarms tell them apart: no connection came about. */
static bool is_unreached(const json_t *tunnel)
{
	const char *seen = doctor_text_of(tunnel, "seen");

	return strncmp(seen, "tcp-", strlen("tcp-")) == 0 ||
	       strncmp(seen, "timeout", strlen("timeout")) == 0;
}

/* When nothing at all comes through to a node, that is what is wrong. */
static void look_for_gone(json_t *findings, const char *node)
{
	size_t count = json_array_size(findings);

	for (size_t i = 0; i < count; i++) {
		const json_t *tunnel = json_array_get(findings, i), *link;
		const char *subject = doctor_text_of(tunnel, "subject");

		if (tunnel != about(findings, SYMPTOM_TUNNEL_DOWN, node, subject) ||
		    !is_unreached(tunnel))
			continue;
		link = about(findings, SYMPTOM_LINK_DOWN, node, subject);
		if (link)
			json_array_append_new(
				findings, doctor_finding(SYMPTOM_NODE_GONE, node, NULL, subject,
							 xasprintf("tunnel: %s; link: %s",
								   doctor_text_of(tunnel, "seen"),
								   doctor_text_of(link, "seen"))));
	}
}

static void add_node(json_t *nodes, const char *name, const char *role, const char *why)
{
	json_array_append_new(nodes, json_pack("{s:s, s:s, s:b, s:o}", "name", name, "role", role,
					       "reached", !why, "why",
					       why ? doctor_line(why) : json_null()));
}

static void take(json_t *findings, json_t *checks, const json_t *own,
		 const struct doctor_other *other)
{
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(other->report, "findings"), index, row)
	{
		if (index < DOCTOR_FINDINGS_MAX)
			take_finding(findings, other->name, row);
	}
	json_array_foreach(json_object_get(other->report, "checks"), index, row)
	{
		if (index < SYMPTOM_COUNT)
			take_check(checks, other->name, row);
	}
	compare(findings, own, other);
}

/* A tunnel that is just down raises its alarm a little later, and another when what is wrong with
 * it changes; meanwhile it is down all the same. */
static void not_reached(json_t *findings, const char *node, const struct doctor_other *other)
{
	if (!other->tunnel)
		json_array_append_new(findings, doctor_finding(SYMPTOM_CANNOT_LOOK, node, NULL,
							       other->name, xstrdup(other->why)));
	else if (!about(findings, SYMPTOM_TUNNEL_DOWN, node, other->name))
		json_array_append_new(findings,
				      doctor_finding(SYMPTOM_TUNNEL_DOWN, node, NULL, other->name,
						     xstrdup(other->tunnel)));
}

static int weight(const json_t *finding)
{
	return doctor_is(finding, "severity", "critical") ? 0
	       : doctor_is(finding, "severity", "error")  ? 1
							  : 2;
}

/* Worst first; those of one severity as they came. */
static json_t *sorted(const json_t *findings)
{
	json_t *list = json_array(), *row;
	size_t index;

	for (int w = 0; w <= 2; w++) {
		json_array_foreach(findings, index, row)
		{
			if (weight(row) == w)
				json_array_append(list, row);
		}
	}
	return list;
}

json_t *doctor_unite(const json_t *own, const struct doctor_other *others, size_t count,
		     unsigned looked_ms)
{
	const json_t *node = json_object_get(own, "node");
	const char *name = doctor_text_of(node, "name");
	json_t *findings = json_deep_copy(json_object_get(own, "findings"));
	json_t *checks = json_copy(json_object_get(own, "checks"));
	json_t *nodes = json_array(), *list, *united;
	char *verdict;

	add_node(nodes, name, doctor_text_of(node, "role"), NULL);
	for (size_t i = 0; i < count; i++) {
		add_node(nodes, others[i].name, others[i].role, others[i].why);
		if (others[i].why)
			not_reached(findings, name, &others[i]);
		else
			take(findings, checks, own, &others[i]);
	}
	look_for_gone(findings, name);
	doctor_fold(findings);
	list = sorted(findings);
	json_decref(findings);
	verdict = !json_array_size(list) ? xstrdup("all is well")
					 : xasprintf("%zu finding%s", json_array_size(list),
						     json_array_size(list) == 1 ? "" : "s");
	united = json_pack("{s:s, s:I, s:o, s:o, s:o, s:O}", "verdict", verdict, "looked_ms",
			   (json_int_t)looked_ms, "nodes", nodes, "findings", list, "checks",
			   checks, "facts", json_object_get(own, "facts"));
	free(verdict);
	return united;
}
