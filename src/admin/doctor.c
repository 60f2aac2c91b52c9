#include "admin/doctor.h"

#include "admin/doctor_checks.h"
#include "admin/doctor_finding.h"
#include "base/alloc.h"

#include <stdlib.h>

static void see(const struct doctor_view *view, enum symptom symptom, const char *severity,
		const char *subject, char *seen)
{
	json_t *findings = view->arg;

	if (json_array_size(findings) < DOCTOR_FINDINGS_MAX)
		json_array_append_new(findings,
				      doctor_finding(symptom, view->node, severity, subject, seen));
	else
		free(seen);
}

static unsigned role_bit(const char *role)
{
	return strcmp(role, "edge") == 0   ? DOCTOR_EDGE
	       : strcmp(role, "core") == 0 ? DOCTOR_CORE
	       : strcmp(role, "home") == 0 ? DOCTOR_HOME
					   : 0;
}

static bool is_found(const json_t *findings, enum symptom symptom)
{
	size_t index, at;
	json_t *row, *consequence;

	json_array_foreach(findings, index, row)
	{
		json_int_t number = symptom_rows[symptom].number;

		if (json_integer_value(json_object_get(row, "symptom")) == number)
			return true;
		json_array_foreach(json_object_get(row, "consequences"), at, consequence)
		{
			if (json_integer_value(json_object_get(consequence, "symptom")) == number)
				return true;
		}
	}
	return false;
}

/* Why a check could not be made; NULL: it was. The caller's. */
static char *skipped(const struct doctor_view *view, const struct doctor_check *check)
{
	size_t index;
	json_t *silent;

	json_array_foreach(json_object_get(view->status, "silent"), index, silent)
	{
		if (check->process && doctor_is(silent, "process", check->process))
			return xasprintf("%s %s", check->process, doctor_text_of(silent, "why"));
	}
	if (check->probe && !json_object_get(view->probes, check->probe))
		return xasprintf("%s", *doctor_text_of(view->probes, "why")
					       ? doctor_text_of(view->probes, "why")
					       : "federation is off, or no domain is federated");
	return NULL;
}

static json_t *list_checks(const struct doctor_view *view, const json_t *findings)
{
	json_t *list = json_array();

	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		const struct doctor_check *check = &doctor_checks[s];
		char *why = check->roles & role_bit(view->role) ? skipped(view, check) : NULL;
		bool found = is_found(findings, s);

		if (check->roles & role_bit(view->role) || found)
			json_array_append_new(
				list, json_pack("{s:i, s:s, s:s, s:s, s:s}", "symptom",
						(int)symptom_rows[s].number, "name",
						symptom_rows[s].name, "node", view->node, "result",
						found ? "found"
						: why ? "skipped"
						      : "ok",
						"why", found || !why ? "" : why));
		free(why);
	}
	return list;
}

static json_t *copy(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return value ? json_incref(value) : json_null();
}

/* What a core compares with its own. */
static json_t *facts(const struct doctor_sight *sight)
{
	return json_pack("{s:s, s:o, s:o}", "release", sight->release, "stored",
			 copy(sight->status, "stored"), "home_servers",
			 copy(sight->status, "home_servers"));
}

json_t *doctor_look(const struct doctor_sight *sight)
{
	const json_t *node = json_object_get(sight->status, "node");
	json_t *none = json_object(), *findings = json_array(), *checks;
	struct doctor_view view = { .status = sight->status,
				    .probes = sight->probes ? sight->probes : none,
				    .node = doctor_text_of(node, "name"),
				    .role = doctor_text_of(node, "role"),
				    .see = see,
				    .arg = findings };

	doctor_check_node(&view);
	doctor_check_domains(&view);
	doctor_check_partners(&view);
	checks = list_checks(&view, findings);
	json_decref(none);
	return json_pack("{s:{s:s, s:s}, s:o, s:o, s:o}", "node", "name", view.node, "role",
			 view.role, "findings", findings, "checks", checks, "facts", facts(sight));
}
