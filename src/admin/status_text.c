#include "admin/status.h"

#include "admin/status_table.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OTHERS_SHOWN 3 /* alarms of another node, in one line */
#define STATUS_OTHER_CHARACTERS 100

static const struct status_table tables[] = {
	{ "links",
	  { { "LINK", "node" },
	    { "ROLE", "role" },
	    { "STATE", "state" },
	    { "DIRECTION", "direction" },
	    { "UNSETTLED", "unsettled", STATUS_NUMBER },
	    { "FOR", "seconds", STATUS_SECONDS },
	    { "WHY", "why" } } },
	{ "tunnels",
	  { { "TUNNEL", "node" },
	    { "ROLE", "role" },
	    { "STATE", "state" },
	    { "FOR", "seconds", STATUS_SECONDS },
	    { "HEARD", "heard_ms", STATUS_MS },
	    { "OURS", "ours", STATUS_NUMBER },
	    { "STORED", "acknowledged", STATUS_NUMBER },
	    { "THEIRS", "theirs", STATUS_NUMBER },
	    { "WHY", "why" } } },
	{ "home_servers",
	  { { "HOME SERVER", "name" },
	    { "ADDRESS", "address" },
	    { "STATE", "state" },
	    { "VERSION", "version" },
	    { "SEEN", "seconds", STATUS_SECONDS },
	    { "TROUBLE", "trouble" },
	    { "WHY", "why" } } },
	{ "attachments",
	  { { "ATTACHMENT", "name" },
	    { "STATE", "state" },
	    { "UNSETTLED", "unsettled", STATUS_NUMBER },
	    { "WHY", "why" } } },
	STATUS_STREAMS,
	{ "queues",
	  { { "QUEUE FROM", "local" },
	    { "TO", "remote" },
	    { "STANZAS", "stanzas", STATUS_NUMBER },
	    { "SIZE", "bytes", STATUS_BYTES },
	    { "OLDEST", "oldest_seconds", STATUS_SECONDS } } },
	{ "processes",
	  { { "PROCESS", "name" },
	    { "STATE", "state" },
	    { "PID", "pid", STATUS_NUMBER },
	    { "STARTS", "starts", STATUS_NUMBER },
	    { "LAST END", "last_end" } } },
	{ "listeners", { { "LISTENER", "service" }, { "ADDRESS", "address" } } },
};

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void write_wrong(struct buffer *out, const json_t *wrong)
{
	size_t index;
	json_t *sentence;

	if (json_array_size(wrong) < 2)
		return; /* the verdict says it */
	json_array_foreach(wrong, index, sentence)
	{
		char line[STATUS_LINE_BYTES];

		if (index == STATUS_ROWS_SHOWN)
			break;
		status_line(line, json_string_value(sentence), STATUS_LINE_BYTES);
		buffer_printf(out, "! %s\n", line);
	}
}

static void write_warnings(struct buffer *out, const json_t *warnings)
{
	size_t index;
	json_t *sentence;

	json_array_foreach(warnings, index, sentence)
	{
		char line[STATUS_LINE_BYTES];

		if (index == STATUS_ROWS_SHOWN)
			break;
		status_line(line, json_string_value(sentence), STATUS_LINE_BYTES);
		buffer_printf(out, "warning: %s\n", line);
	}
}

/* How long ago anything came from a node. */
static void write_age(struct buffer *out, const json_t *status, const char *node)
{
	char age[STATUS_LINE_BYTES];
	size_t index;
	json_t *tunnel;

	json_array_foreach(json_object_get(status, "tunnels"), index, tunnel)
	{
		const json_t *heard = json_object_get(tunnel, "heard_ms");

		if (strcmp(text(tunnel, "node"), node) != 0 || !json_is_integer(heard))
			continue;
		status_seconds(age, json_integer_value(heard) / 1000);
		buffer_printf(out, " (heard %s ago)", age);
		return;
	}
}

/* What another node told; names and titles of its own making. */
static void write_other(struct buffer *out, const json_t *status, const char *node,
			const json_t *other)
{
	const json_t *alarms = json_object_get(other, "alarms");
	size_t count = json_array_size(alarms), index;
	char line[STATUS_LINE_BYTES];
	json_t *alarm;

	status_line(line, node, STATUS_LINE_BYTES);
	buffer_printf(out, "%s: %zu alarm%s", line, count, count == 1 ? "" : "s");
	json_array_foreach(alarms, index, alarm)
	{
		char *title;

		if (index == STATUS_OTHERS_SHOWN)
			break;
		title = xasprintf("%" JSON_INTEGER_FORMAT " %s%s%s",
				  json_integer_value(json_object_get(alarm, "number")),
				  text(alarm, "title"), *text(alarm, "subject") ? ", " : "",
				  text(alarm, "subject"));
		status_line(line, title, STATUS_OTHER_CHARACTERS);
		buffer_printf(out, "%s %s", index ? ";" : ":", line);
		free(title);
	}
	if (count > STATUS_OTHERS_SHOWN)
		buffer_printf(out, "; and %zu more", count - STATUS_OTHERS_SHOWN);
	write_age(out, status, node);
	buffer_append_text(out, "\n");
}

static void write_others(struct buffer *out, const json_t *status)
{
	json_t *others = json_object_get(status, "others"), *other;
	const char *node;

	if (json_object_size(others))
		buffer_append_text(out, "\n");
	json_object_foreach(others, node, other) write_other(out, status, node, other);
}

/* Those that have counted something. */
static void write_counters(struct buffer *out, json_t *counters)
{
	static const struct status_table table = {
		NULL, { { "COUNTER", "name" }, { "COUNT", "value", STATUS_NUMBER } }
	};
	json_t *rows = json_array(), *value;
	const char *name;

	json_object_foreach(counters, name, value)
	{
		if (json_integer_value(value))
			json_array_append_new(
				rows, json_pack("{s:s, s:O}", "name", name, "value", value));
	}
	status_table_write(out, &table, rows);
	json_decref(rows);
}

char *status_text(const json_t *status)
{
	const json_t *revision = json_object_get(status, "revision");
	const char *pin =
		json_string_value(json_object_get(json_object_get(status, "node"), "pin"));
	struct buffer out = { 0 };

	buffer_printf(&out, "%s\n", json_string_value(json_object_get(status, "verdict")));
	write_wrong(&out, json_object_get(status, "wrong"));
	write_warnings(&out, json_object_get(status, "warnings"));
	write_others(&out, status);
	for (size_t i = 0; i < nitems(tables); i++)
		status_table_write(&out, &tables[i], json_object_get(status, tables[i].list));
	write_counters(&out, json_object_get(status, "counters"));
	if (json_is_integer(revision))
		buffer_printf(&out, "\nsettings revision %" JSON_INTEGER_FORMAT "\n",
			      json_integer_value(revision));
	if (pin && *pin)
		buffer_printf(&out, "pin %s\n", pin);
	return buffer_take_text(&out);
}
