#include "admin/alarm_checks.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/utc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define EXPIRES_S (14 * DAY_S)
#define SKEW_MS 10000 /* beyond it, times in two logs cannot be put together */

#define each(view, list, row)                                                                      \
	for (size_t row##_at = 0;                                                                  \
	     (row = json_array_get(json_object_get((view)->status, list), row##_at)); row##_at++)

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool is(const json_t *object, const char *key, const char *value)
{
	return strcmp(text(object, key), value) == 0;
}

static bool begins(const char *word, const char *with)
{
	return strncmp(word, with, strlen(with)) == 0;
}

static bool role_is(const struct alarm_view *view, const char *role)
{
	return is(json_object_get(view->status, "node"), "role", role);
}

static bool setting_is(const struct alarm_view *view, const char *name, const char *value)
{
	return is(json_object_get(view->status, "settings"), name, value);
}

static bool is_up(const json_t *row)
{
	return is(row, "state", "up") || is(row, "state", "ready") || is(row, "state", "open") ||
	       is(row, "state", "running");
}

/* Why it is not up, or at least what it is. */
static const char *why_of(const json_t *row)
{
	return *text(row, "why") ? text(row, "why") : text(row, "state");
}

static bool is_usable(const json_t *realm)
{
	return !is(realm, "table", "stored") && is(realm, "link", "linked");
}

static void axl(const struct alarm_view *view)
{
	const json_t *server;

	each(view, "home_servers", server)
	{
		const char *trouble = text(server, "trouble");

		if (is(server, "state", "ready") || !*trouble || strcmp(trouble, "well") == 0)
			continue; /* a round that goes on says what the last one met */
		view->see(view, text(server, "name"),
			  xasprintf("%s: %s (%s)", trouble, text(server, "why"),
				    text(server, "address")));
	}
}

static bool is_loopback(const char *address)
{
	return begins(address, "127.") || begins(address, "[::1]");
}

static void xmpp_address(const struct alarm_view *view)
{
	const char *only = NULL;
	const json_t *listener;

	if (!role_is(view, "edge") || !setting_is(view, "federation.enabled", "on"))
		return;
	each(view, "listeners", listener)
	{
		if (!begins(text(listener, "service"), "s2s"))
			continue;
		if (!is_loopback(text(listener, "address")))
			return;
		only = text(listener, "address");
	}
	if (only)
		view->see(view, "", xasprintf("listen s2s has %s only", only));
}

static bool has_all(const json_t *these, const json_t *of)
{
	size_t index, other_at;
	json_t *row, *other;

	json_array_foreach(of, index, row)
	{
		bool found = false;

		json_array_foreach(these, other_at, other) found |=
			is(other, "cp_id", text(row, "cp_id"));
		if (!found)
			return false;
	}
	return true;
}

static bool restart_is_due(const struct alarm_view *view)
{
	const json_t *loaded = json_object_get(view->status, "loaded");
	const json_t *stored = json_object_get(view->status, "stored");

	return setting_is(view, "router.apply", "restart") &&
	       json_is_integer(json_object_get(view->status, "loaded_revision")) &&
	       !(has_all(loaded, stored) && has_all(stored, loaded));
}

static void list_rows(const struct alarm_view *view, const char *list, struct buffer *out)
{
	const json_t *row;

	if (!json_array_size(json_object_get(view->status, list)))
		buffer_append_text(out, " nothing");
	each(view, list, row) buffer_printf(out, " %s", text(row, "cp_id"));
}

static void restart(const struct alarm_view *view)
{
	struct buffer seen = { 0 };

	if (!restart_is_due(view))
		return;
	buffer_append_text(&seen, "loaded:");
	list_rows(view, "loaded", &seen);
	buffer_append_text(&seen, "; stored:");
	list_rows(view, "stored", &seen);
	view->see(view, "", buffer_take_text(&seen));
}

static bool is_port_trouble(const json_t *tunnel)
{
	const char *why = text(tunnel, "why");

	return begins(why, "tcp-") || begins(why, "timeout");
}

static void tunnel_down(const struct alarm_view *view)
{
	bool port = view->alarm == ALARM_TUNNEL_PORT;
	const json_t *tunnel;

	each(view, "tunnels", tunnel)
	{
		bool dialled = is(tunnel, "direction", "in");

		if (!is_up(tunnel) && is_port_trouble(tunnel) == port)
			view->see(view, text(tunnel, "node"),
				  *text(tunnel, "why") || !dialled
					  ? xstrdup(why_of(tunnel))
					  : xstrdup("that node does not dial us"));
	}
}

static void clock_differs(const struct alarm_view *view)
{
	const json_t *tunnel;

	each(view, "tunnels", tunnel)
	{
		const json_t *skew = json_object_get(tunnel, "skew_ms");
		json_int_t ms = json_integer_value(skew);

		if (is_up(tunnel) && json_is_integer(skew) && (ms > SKEW_MS || ms < -SKEW_MS))
			view->see(view, text(tunnel, "node"),
				  xasprintf("its clock and ours differ by %" PRIdMAX " s",
					    (intmax_t)((ms < 0 ? -ms : ms) / 1000)));
	}
}

static void verbose(const struct alarm_view *view)
{
	const json_t *level, *diagnostic;

	each(view, "levels", level)
	{
		json_int_t until = json_integer_value(json_object_get(level, "until"));
		char end[UTC_BYTES];

		utc_text(until, end);
		view->see(view, text(level, "module"),
			  xasprintf("log.levels has it at %s, %s%s", text(level, "level"),
				    until ? "until " : "for good", until ? end : ""));
	}
	each(view, "diagnostics", diagnostic)
	{
		char end[UTC_BYTES];

		if (strcmp(text(diagnostic, "state"), "running") != 0)
			continue;
		utc_text(json_integer_value(json_object_get(diagnostic, "ends")), end);
		view->see(view, "diagnostic log",
			  xasprintf("all modules log at debug for it, until %s; begun by %s", end,
				    text(diagnostic, "author")));
	}
}

static void certificate(const struct alarm_view *view)
{
	const json_t *row;

	each(view, "certificates", row)
	{
		int64_t end = json_integer_value(json_object_get(row, "not_after"));
		int64_t left = end - view->clock_s;
		bool is_due = view->alarm == ALARM_CERTIFICATE_EXPIRED
				      ? left < 0
				      : left >= 0 && left < EXPIRES_S;
		char day[UTC_BYTES];

		if (!is_due || !json_is_integer(json_object_get(row, "not_after")))
			continue;
		utc_text(end, day);
		view->see(view, text(row, "setting"),
			  xasprintf("%s: it %s on %s", text(row, "name"),
				    left < 0 ? "ended" : "ends", day));
	}
}

static const char *port_of(const char *address)
{
	const char *port = strrchr(address, ':');

	return port ? port : "";
}

/* Whether who listens on `listener` can be met at `dialled`. */
static bool meets(const char *listener, const char *dialled)
{
	bool any = begins(listener, "0.0.0.0:") || begins(listener, "[::]:");

	return any ? strcmp(port_of(listener), port_of(dialled)) == 0
		   : strcmp(listener, dialled) == 0;
}

/* A node with several interfaces is dialled on one where its link does not listen. */
static void add_wrong_address(const struct alarm_view *view, const json_t *link, struct buffer *out)
{
	const json_t *other =
		json_object_get(json_object_get(view->status, "others"), text(link, "node"));
	const json_t *listeners = json_object_get(other, "link_listeners");
	struct buffer list = { 0 };
	bool met = !json_array_size(listeners);
	json_t *listener;
	size_t index;
	char *all;

	json_array_foreach(listeners, index, listener)
	{
		const char *address = json_string_value(listener);

		met |= !address || meets(address, text(link, "address"));
		buffer_printf(&list, "%s%s", index ? ", " : "", address ? address : "");
	}
	all = buffer_take_text(&list);
	if (!met)
		buffer_printf(out,
			      "; it does not listen there, but on %s: see its address in nodes",
			      all);
	free(all);
}

static void link_down(const struct alarm_view *view)
{
	const json_t *link;

	each(view, "links", link)
	{
		const char *address = text(link, "address");
		struct buffer seen = { 0 };

		if (is_up(link))
			continue;
		buffer_append_text(&seen, why_of(link));
		if (*address && strcmp(address, "-") != 0 && is(link, "direction", "out")) {
			buffer_printf(&seen, " (we dial %s)", address);
			add_wrong_address(view, link, &seen);
		}
		view->see(view, text(link, "node"), buffer_take_text(&seen));
	}
}

static void attachment_down(const struct alarm_view *view)
{
	const json_t *attachment;

	each(view, "attachments", attachment)
	{
		if (!is_up(attachment))
			view->see(view, text(attachment, "name"), xstrdup(why_of(attachment)));
	}
}

static size_t federated_domains(const struct alarm_view *view)
{
	const json_t *domain;
	size_t count = 0;

	each(view, "domains", domain) count += is(domain, "federation", "on");
	return count;
}

static void no_domain(const struct alarm_view *view)
{
	size_t all = json_array_size(json_object_get(view->status, "domains"));

	if (setting_is(view, "federation.enabled", "on") && !federated_domains(view))
		view->see(view, "",
			  all ? xasprintf("%zu domain%s, none of them on", all, all == 1 ? "" : "s")
			      : xstrdup("there is no domain"));
}

static void both_federate(const struct alarm_view *view)
{
	const json_t *attachment, *realm;
	bool named = false;

	each(view, "realms", realm) named |= !is(realm, "table", "stored");
	each(view, "attachments", attachment)
	{
		if (named && is(attachment, "federates", "yes"))
			view->see(view, text(attachment, "name"),
				  xasprintf("%s federates by itself", text(attachment, "name")));
	}
}

/* On a core by what the edges told it, on an edge by what its core tells it of the others. */
static void secrets_differ(const struct alarm_view *view)
{
	const char *list = role_is(view, "core") ? "edges" : "secrets";
	const char *ours = text(view->status, "secret"), *whose = "ours";
	const json_t *row;

	if (role_is(view, "core"))
		ours = "";
	each(view, list, row)
	{
		const char *theirs = text(row, "secret");

		if (!*ours && role_is(view, "core")) {
			ours = theirs;
			whose = text(row, "node");
		} else if (*ours && *theirs && strcmp(ours, theirs) != 0) {
			view->see(view, text(row, "node"),
				  xasprintf("fingerprint %s, %s is %s", theirs, whose, ours));
		}
	}
}

/* A core that says so has federation off: nothing foreign is expected. */
static bool core_is_off(const struct alarm_view *view)
{
	const char *name;
	json_t *other;

	json_object_foreach(json_object_get(view->status, "others"), name, other)
	{
		if (is(other, "role", "core") &&
		    json_is_false(json_object_get(other, "federation")))
			return true;
	}
	return false;
}

static void no_edge(const struct alarm_view *view)
{
	struct buffer seen = { 0 };
	const json_t *realm;

	if (!role_is(view, "home") || !federated_domains(view) || core_is_off(view) ||
	    restart_is_due(view))
		return;
	each(view, "realms", realm)
	{
		if (is_usable(realm))
			return;
	}
	each(view, "realms", realm)
	{
		if (!is(realm, "table", "stored"))
			buffer_printf(&seen, "%s%s is not linked", buffer_len(&seen) ? ", " : "",
				      text(realm, "name"));
	}
	if (!buffer_len(&seen))
		buffer_append_text(&seen, "the table names no edge");
	view->see(view, "", buffer_take_text(&seen));
}

static void foreign_row(const struct alarm_view *view)
{
	const json_t *server;

	each(view, "home_servers", server)
	{
		if (*text(server, "foreign"))
			view->see(view, text(server, "name"), xstrdup(text(server, "foreign")));
	}
}

static void routes_empty(const struct alarm_view *view)
{
	const json_t *on = json_object_get(json_object_get(view->status, "static_routes"), "on");

	if (json_is_integer(on) && json_integer_value(on) == 0)
		view->see(view, "", xstrdup("federation.static_routes is empty"));
}

static void route_dead(const struct alarm_view *view)
{
	const json_t *route;

	each(view, "dead_routes", route)
		view->see(view, text(route, "domain"), xstrdup(text(route, "why")));
}

static void fault(const struct alarm_view *view)
{
	const json_t *row;

	each(view, "faults", row) view->see(view, "", xstrdup(text(row, "text")));
}

static void replica(const struct alarm_view *view)
{
	const json_t *tunnel;

	each(view, "tunnels", tunnel)
	{
		json_int_t ours = json_integer_value(json_object_get(tunnel, "ours"));
		json_int_t stored = json_integer_value(json_object_get(tunnel, "acknowledged"));

		if (!is_up(tunnel))
			continue;
		if (*text(tunnel, "why")) /* of one that is up: what was refused */
			view->see(view, text(tunnel, "node"), xstrdup(text(tunnel, "why")));
		else if (ours > stored)
			view->see(view, text(tunnel, "node"),
				  xasprintf("our revision is %" PRIdMAX ", it has stored %" PRIdMAX,
					    (intmax_t)ours, (intmax_t)stored));
	}
}

static void process_down(const struct alarm_view *view)
{
	const json_t *row;

	each(view, "silent", row) view->see(view, text(row, "process"), xstrdup(text(row, "why")));
	each(view, "processes", row)
	{
		if (!is_up(row))
			view->see(view, text(row, "name"),
				  xasprintf("%s%s%s", text(row, "state"),
					    *text(row, "last_end") ? ": " : "",
					    text(row, "last_end")));
	}
}

static void elsewhere(const struct alarm_view *view)
{
	struct buffer seen = { 0 };
	const json_t *link;

	if (!role_is(view, "edge") || !setting_is(view, "federation.enabled", "on"))
		return;
	each(view, "links", link)
	{
		if (is(link, "role", "core") && is_up(link)) {
			buffer_finish(&seen);
			return;
		}
		if (is(link, "role", "core"))
			buffer_printf(&seen, "%slink to %s: %s", buffer_len(&seen) ? ", " : "",
				      text(link, "node"), why_of(link));
	}
	if (!buffer_len(&seen))
		buffer_append_text(&seen, "no core is paired with this node");
	view->see(view, "", buffer_take_text(&seen));
}

const struct alarm_check alarm_checks[ALARM_COUNT] = {
	[ALARM_AXL] = { axl, 0, 0 },
	[ALARM_XMPP_ADDRESS] = { xmpp_address, ALARM_ASKS_CONTROL, 0 },
	[ALARM_RESTART] = { restart, ALARM_ASKS_CONTROL, 0 },
	[ALARM_TUNNEL] = { tunnel_down, 0, ALARMS_HOLD_MS },
	[ALARM_TUNNEL_PORT] = { tunnel_down, 0, ALARMS_HOLD_MS },
	[ALARM_CLOCK] = { clock_differs, 0, 0 },
	[ALARM_VERBOSE] = { verbose, ALARM_ASKS_CONTROL, 0 },
	[ALARM_CERTIFICATE_EXPIRED] = { certificate, ALARM_ASKS_CONTROL, 0 },
	[ALARM_CERTIFICATE_EXPIRES] = { certificate, ALARM_ASKS_CONTROL, 0 },
	[ALARM_LINK] = { link_down, ALARM_ASKS_TRAFFIC, ALARMS_HOLD_MS },
	[ALARM_ATTACHMENT] = { attachment_down, ALARM_ASKS_TRAFFIC, ALARMS_HOLD_MS },
	[ALARM_NO_DOMAIN] = { no_domain, ALARM_ASKS_CONTROL, 0 },
	[ALARM_BOTH_FEDERATE] = { both_federate, ALARM_ASKS_TRAFFIC, 0 },
	[ALARM_SECRETS_DIFFER] = { secrets_differ, ALARM_ASKS_CONTROL, 0 },
	[ALARM_NO_EDGE] = { no_edge, ALARM_ASKS_CONTROL | ALARM_ASKS_TRAFFIC, ALARMS_HOLD_MS },
	[ALARM_FOREIGN_ROW] = { foreign_row, 0, 0 },
	[ALARM_ROUTES_EMPTY] = { routes_empty, ALARM_ASKS_TRAFFIC, 0 },
	[ALARM_ROUTE_DEAD] = { route_dead, ALARM_ASKS_TRAFFIC, 0 },
	[ALARM_FAULT] = { fault, ALARM_ASKS_TRAFFIC, 0 },
	[ALARM_REPLICA] = { replica, 0, ALARMS_REPLICA_MS },
	[ALARM_PROCESS] = { process_down, 0, ALARMS_HOLD_MS },
	[ALARM_ELSEWHERE] = { elsewhere, ALARM_ASKS_CONTROL | ALARM_ASKS_TRAFFIC, ALARMS_HOLD_MS },
};
