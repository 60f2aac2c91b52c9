#include "admin/doctor.h"

#include "admin/doctor_checks.h"
#include "base/alloc.h"

#define PLAN_MAX 16 /* names of a kind: each costs a few questions */

static void add(json_t *list, const json_t *name)
{
	if (json_is_string(name) && json_array_size(list) < PLAN_MAX)
		json_array_append(list, (json_t *)(uintptr_t)name);
}

/* What is federated should be found by the world; an edge alone asks its DNS. */
static json_t *domains(const json_t *status)
{
	json_t *list = json_array(), *row;
	size_t index;

	if (!doctor_is(json_object_get(status, "node"), "role", "edge") ||
	    !doctor_is(json_object_get(status, "settings"), "federation.enabled", "on"))
		return list;
	json_array_foreach(json_object_get(status, "domains"), index, row)
	{
		if (doctor_is(row, "federation", "on"))
			add(list, json_object_get(row, "name"));
	}
	return list;
}

static json_t *names_of(const json_t *status, const char *list_name)
{
	json_t *list = json_array(), *row;
	size_t index;

	json_array_foreach(json_object_get(status, list_name), index, row)
		add(list, json_object_get(row, "domain"));
	return list;
}

/* Those about whose records there may be something new. */
static json_t *partners(const json_t *status)
{
	static const char *const asked[] = { "no-such-domain", "no-service", "dns-failed",
					     "dns-bogus", "address-refused" };
	json_t *list = json_array(), *row;
	size_t index;

	json_array_foreach(json_object_get(status, "peers"), index, row)
	{
		for (size_t i = 0; i < nitems(asked); i++) {
			if (doctor_is(row, "failure", asked[i]))
				add(list, json_object_get(row, "domain"));
		}
	}
	return list;
}

static json_t *home_servers(const json_t *status)
{
	static const char *const asked[] = { "refused", "unreachable", "timeout" };
	json_t *list = json_array(), *row;
	size_t index;

	json_array_foreach(json_object_get(status, "home_servers"), index, row)
	{
		for (size_t i = 0; i < nitems(asked); i++) {
			if (doctor_is(row, "trouble", asked[i]) && json_array_size(list) < PLAN_MAX)
				json_array_append_new(
					list, json_pack("{s:O, s:O}", "name",
							json_object_get(row, "name"), "address",
							json_object_get(row, "address")));
		}
	}
	return list;
}

json_t *doctor_plan(const json_t *status)
{
	json_t *own = json_array(), *row;
	size_t index;

	json_array_foreach(json_object_get(status, "listeners"), index, row)
	{
		if (doctor_is(row, "service", "s2s"))
			add(own, json_object_get(row, "address"));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "domains", domains(status), "routes",
			 names_of(status, "dead_routes"), "partners", partners(status),
			 "home_servers", home_servers(status), "own", own);
}
