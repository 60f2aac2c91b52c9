#include "admin/status_views.h"

#include "admin/metrics.h"
#include "admin/status_table.h"
#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 9

static const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* "cause" and the like: one line, whatever a peer said that is quoted in it. */
static void write_field(struct buffer *out, const char *name, const char *value)
{
	char line[STATUS_LINE_BYTES];

	status_line(line, value, STATUS_LINE_BYTES);
	buffer_printf(out, "%s: %s\n", name, line);
}

static void alarms(struct buffer *out, const json_t *status)
{
	size_t index;
	json_t *alarm;

	json_array_foreach(json_object_get(status, "alarms"), index, alarm)
	{
		const char *subject = text_of(alarm, "subject");

		buffer_printf(out, "%s%" JSON_INTEGER_FORMAT " %s: %s%s%s\n", index ? "\n" : "",
			      json_integer_value(json_object_get(alarm, "number")),
			      text_of(alarm, "severity"), text_of(alarm, "title"),
			      *subject ? ", " : "", subject);
		write_field(out, "  since", text_of(alarm, "since"));
		write_field(out, "  seen", text_of(alarm, "seen"));
		write_field(out, "  cause", text_of(alarm, "cause"));
		write_field(out, "  fix", text_of(alarm, "fix"));
	}
	if (!buffer_len(out))
		buffer_append_text(out, "no alarms\n");
}

static const struct status_table route_tables[] = {
	{ "domains", { { "DOMAIN", "name" }, { "FEDERATION", "federation" }, { "NODE", "node" } } },
	{ "routes", { { "ROUTE TO", "domain" }, { "PORT", "port" } } },
	{ "defaults", { { "ALL OTHERS", "direction" }, { "PORT", "port" } } },
	{ "realms", { { "REALM", "name" }, { "TABLE", "table" }, { "LINK", "link" } } },
	{ "stored", { { "STORED IN XMPPS2SNODES", "cp_id" } } },
	{ "loaded", { { "LOADED BY THE ROUTER", "cp_id" } } },
	{ "links",
	  { { "LINK", "node" },
	    { "ROLE", "role" },
	    { "STATE", "state" },
	    { "ADDRESS", "address" },
	    { "REALMS", "realms" } } },
	{ "dead_routes", { { "DEAD STATIC ROUTE", "domain" }, { "WHY", "why" } } },
};

static void routes(struct buffer *out, const json_t *status)
{
	for (size_t i = 0; i < nitems(route_tables); i++)
		status_table_write(out, &route_tables[i],
				   json_object_get(status, route_tables[i].list));
	if (!buffer_len(out))
		buffer_append_text(out, "no domains, and no other nodes\n");
	else
		buffer_consume(out, 1); /* the first table's empty line */
}

static void notifications(struct buffer *out, const json_t *status)
{
	static const struct {
		const char *heading, *key;
	} rows[] = { { "Severity", "severity" },
		     { "Count", "count" },
		     { "Description", "description" },
		     { "Origin", "origin" },
		     { "Created", "created" } };
	size_t index;
	json_t *notice;

	json_array_foreach(json_object_get(status, "notifications"), index, notice)
	{
		buffer_printf(out, "%sNumber: %" JSON_INTEGER_FORMAT "\n", index ? "\n" : "",
			      json_integer_value(json_object_get(notice, "number")));
		for (size_t i = 0; i < nitems(rows); i++) {
			const json_t *value = json_object_get(notice, rows[i].key);

			if (json_is_integer(value))
				buffer_printf(out, "%s: %" JSON_INTEGER_FORMAT "\n",
					      rows[i].heading, json_integer_value(value));
			else
				write_field(out, rows[i].heading, text_of(notice, rows[i].key));
		}
	}
	if (!buffer_len(out))
		buffer_append_text(out, "no notifications\n");
}

/* Each is one list of the status, as a table. */
static const struct status_table tables[] = {
	STATUS_STREAMS,
	{ "peers",
	  { { "DOMAIN", "domain" },
	    { "OUT", "out" },
	    { "IN", "in" },
	    { "WAITING", "waiting", STATUS_NUMBER },
	    { "RETRY IN", "retry_seconds", STATUS_SECONDS },
	    { "LAST FAILURE", "failure" },
	    { "AGO", "failed_seconds", STATUS_SECONDS },
	    { "WHY", "why" } } },
	{ "certificates",
	  { { "CERTIFICATE", "setting" },
	    { "ENDS", "ends" },
	    { "DAYS", "days", STATUS_NUMBER },
	    { "NOT COVERED", "uncovered" },
	    { "NAMES", "names" },
	    { "ISSUER", "issuer" },
	    { "SHA-256", "fingerprint" } } },
	{ "home_servers",
	  { { "HOME SERVER", "name" },
	    { "ADDRESS", "address" },
	    { "STATE", "state" },
	    { "VERSION", "version" },
	    { "SEEN", "seconds", STATUS_SECONDS },
	    { "TROUBLE", "trouble" },
	    { "ROWS", "rows" },
	    { "FOREIGN", "foreign" },
	    { "WHY", "why" } } },
	{ "accounts", { { "ACCOUNT", "name" }, { "ROLE", "role" }, { "PASSWORD", "password" } } },
};

static void table(struct buffer *out, const json_t *status, const char *list, const char *none)
{
	for (size_t i = 0; i < nitems(tables); i++) {
		if (strcmp(tables[i].list, list) == 0)
			status_table_write(out, &tables[i], json_object_get(status, list));
	}
	if (!buffer_len(out))
		buffer_append_text(out, none);
	else
		buffer_consume(out, 1);
}

static bool is_edge(const json_t *status)
{
	const char *role =
		json_string_value(json_object_get(json_object_get(status, "node"), "role"));

	return role && strcmp(role, "edge") == 0;
}

static void streams(struct buffer *out, const json_t *status)
{
	table(out, status, "streams",
	      is_edge(status) ? "no streams\n" : "no streams: edges have those with the world\n");
}

static void domains(struct buffer *out, const json_t *status)
{
	table(out, status, "peers",
	      is_edge(status) ? "no domain of the world was talked to\n"
			      : "no domain of the world was talked to: edges talk to them\n");
}

static void certificates(struct buffer *out, const json_t *status)
{
	table(out, status, "certificates", "no certificates\n");
}

static void home_servers(struct buffer *out, const json_t *status)
{
	table(out, status, "home_servers", "no home servers\n");
}

static void accounts(struct buffer *out, const json_t *status)
{
	table(out, status, "accounts", "no accounts; sallyport admin link makes the first\n");
}

static void metrics(struct buffer *out, const json_t *status)
{
	char *text = metrics_text(status);

	buffer_append_text(out, text);
	free(text);
}

static const struct view {
	const char *verb;
	void (*write)(struct buffer *out, const json_t *status);
	const char *lists[LISTS_MAX + 1]; /* of the status, that are its data; none: it has no
					   * data, and is written from the whole */
	const char *asks;		  /* without whose answer there is nothing to show */
} views[] = {
	{ "alarms", alarms, { "alarms" }, NULL },
	{ "routes",
	  routes,
	  { "domains", "routes", "defaults", "realms", "stored", "loaded", "links", "static_routes",
	    "dead_routes" },
	  "traffic" },
	{ "notifications", notifications, { "notifications" }, "control" },
	{ "home-servers", home_servers, { "home_servers" }, NULL },
	{ "streams", streams, { "streams" }, "traffic" },
	{ "domains", domains, { "peers" }, "traffic" },
	{ "certificates", certificates, { "certificates" }, "control" },
	{ "accounts", accounts, { "accounts" }, "control" },
	{ "metrics", metrics, { NULL }, NULL },
};

static bool answers(const json_t *status, const char *process, char **text)
{
	size_t index;
	json_t *silent;

	json_array_foreach(json_object_get(status, "silent"), index, silent)
	{
		if (process && strcmp(text_of(silent, "process"), process) == 0) {
			*text = xasprintf("%s %s", process, text_of(silent, "why"));
			return false;
		}
	}
	return true;
}

static bool has_text(const json_t *row, const char *text)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)row, key, value)
	{
		if (json_is_string(value) && strcasestr(json_string_value(value), text))
			return true;
	}
	return false;
}

/* The rows in which the text occurs; the caller's. */
static json_t *filtered(const json_t *rows, const char *filter)
{
	json_t *kept = json_array(), *row;
	size_t index;

	if (!json_is_array(rows)) {
		json_decref(kept);
		return json_incref((json_t *)(uintptr_t)rows);
	}
	json_array_foreach(rows, index, row)
	{
		if (!filter || has_text(row, filter))
			json_array_append(kept, row);
	}
	return kept;
}

bool status_view(const json_t *status, const char *verb, const char *filter, char **text,
		 json_t **data)
{
	const struct view *view = views;
	struct buffer out = { 0 };

	while (strcmp(view->verb, verb) != 0) {
		view++;
		assert(view < views + nitems(views));
	}
	*data = NULL;
	if (!answers(status, view->asks, text))
		return false;
	*data = view->lists[0] ? json_object() : NULL;
	for (size_t i = 0; view->lists[i]; i++)
		json_object_set_new(*data, view->lists[i],
				    filtered(json_object_get(status, view->lists[i]), filter));
	view->write(&out, *data ? *data : status);
	*text = buffer_take_text(&out);
	return true;
}
