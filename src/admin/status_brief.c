#include "admin/status.h"

#include "admin/status_table.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 79 /* of a terminal with 80 columns */
#define LABEL 13
#define WRONG_SHOWN 3
#define WARNINGS_SHOWN 2
#define OTHERS_SHOWN 2

static const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *plural(json_int_t count)
{
	return count == 1 ? "" : "s";
}

/* A line of the terminal, cut; takes what was written. */
static void write_line(struct buffer *out, struct buffer *line)
{
	char *whole = buffer_take_text(line), cut[STATUS_LINE_BYTES];

	status_line(cut, whole, WIDTH - 3);
	buffer_printf(out, "%s\n", cut);
	free(whole);
}

/* "links         1 of 2 open: core-a; edge-b down: why" */
static void write_row(struct buffer *out, const char *label, struct buffer *text)
{
	char *words = buffer_take_text(text);
	struct buffer line = { 0 };

	buffer_printf(&line, "%-*s %s", LABEL, label, words);
	write_line(out, &line);
	free(words);
}

/* At most so many sentences of a list, and how many are left out. */
static void write_sentences(struct buffer *out, const json_t *list, const char *before, size_t most)
{
	size_t count = json_array_size(list), index;
	json_t *sentence;

	json_array_foreach(list, index, sentence)
	{
		struct buffer line = { 0 };

		if (index == most)
			break;
		buffer_printf(&line, "%s%s", before, json_string_value(sentence));
		write_line(out, &line);
	}
	if (count > most)
		buffer_printf(out, "%s%zu more: sallyport status --all\n", before, count - most);
}

static void write_others(struct buffer *out, const json_t *status)
{
	json_t *others = json_object_get(status, "others"), *other;
	size_t left = 0, shown = 0;
	const char *node;

	json_object_foreach(others, node, other)
	{
		const json_t *alarms = json_object_get(other, "alarms");
		const json_t *alarm = json_array_get(alarms, 0);
		size_t count = json_array_size(alarms);
		struct buffer line = { 0 };

		left += count && shown == OTHERS_SHOWN;
		if (!count || shown == OTHERS_SHOWN)
			continue;
		shown++;
		buffer_printf(&line, "%s has %zu alarm%s: %" JSON_INTEGER_FORMAT " %s%s", node,
			      count, plural((json_int_t)count), number_of(alarm, "number"),
			      text_of(alarm, "title"), count > 1 ? ", ..." : "");
		write_line(out, &line);
	}
	if (left)
		buffer_printf(out, "%zu more nodes have alarms: sallyport status --all\n", left);
}

static void federation(struct buffer *row, const json_t *status)
{
	const json_t *settings = json_object_get(status, "settings");
	const char *enabled = text_of(settings, "federation.enabled");
	size_t index, count = 0;
	json_t *domain;

	json_array_foreach(json_object_get(status, "domains"), index, domain) count +=
		strcmp(text_of(domain, "federation"), "on") == 0;
	if (*enabled)
		buffer_printf(row, "%s; ", enabled);
	buffer_printf(row, "%zu domain%s federated", count, plural((json_int_t)count));
	if (*text_of(settings, "federation.security_mode"))
		buffer_printf(row, "; %s; privacy mode %s",
			      text_of(settings, "federation.security_mode"),
			      text_of(settings, "federation.privacy_mode"));
}

static bool is_well(const json_t *object)
{
	static const char *const well[] = { "up", "ready", "open", "running" };

	for (size_t i = 0; i < nitems(well); i++) {
		if (strcmp(text_of(object, "state"), well[i]) == 0)
			return true;
	}
	return false;
}

/* "2 of 3 open: edge-b is down (why)": those that are not well first, since the line may be cut. */
static void list(struct buffer *row, const json_t *rows, const char *name, const char *well)
{
	size_t all = json_array_size(rows), good = 0, index;
	const char *between = ": ";
	json_t *object;

	json_array_foreach(rows, index, object) good += is_well(object);
	buffer_printf(row, "%zu of %zu %s", good, all, well);
	for (int pass = 0; pass < 2; pass++) {
		json_array_foreach(rows, index, object)
		{
			if (is_well(object) != pass)
				continue;
			buffer_printf(row, "%s%s", between, text_of(object, name));
			if (!pass)
				buffer_printf(row, " is %s", text_of(object, "state"));
			between = ", ";
		}
	}
}

static void streams(struct buffer *row, const json_t *status)
{
	size_t in = 0, secured = 0, index;
	const json_t *all = json_object_get(status, "streams");
	json_t *stream;

	json_array_foreach(all, index, stream)
	{
		const char *tls = text_of(stream, "tls");

		in += strcmp(text_of(stream, "direction"), "in") == 0;
		secured += *tls && strcmp(tls, "-") != 0 && strcmp(tls, "none") != 0;
	}
	buffer_printf(row, "%zu with the world: %zu in, %zu out; %zu with TLS",
		      json_array_size(all), in, json_array_size(all) - in, secured);
}

static void queues(struct buffer *row, const json_t *status)
{
	const json_t *all = json_object_get(status, "queues");
	json_int_t stanzas = 0, oldest = 0;
	char age[STATUS_LINE_BYTES];
	size_t index;
	json_t *queue;

	json_array_foreach(all, index, queue)
	{
		json_int_t seconds = number_of(queue, "oldest_seconds");

		stanzas += number_of(queue, "stanzas");
		oldest = seconds > oldest ? seconds : oldest;
	}
	status_seconds(age, oldest);
	if (stanzas)
		buffer_printf(row,
			      "%" JSON_INTEGER_FORMAT " stanza%s in %zu queue%s, the oldest for %s",
			      stanzas, plural(stanzas), json_array_size(all),
			      plural((json_int_t)json_array_size(all)), age);
	else
		buffer_append_text(row, "nothing waits");
}

static void stanzas(struct buffer *row, const json_t *status)
{
	static const struct {
		const char *counter, *shown;
		bool always;
	} parts[] = { { "stanzas.taken", "taken", true },
		      { "stanzas.delivered", "delivered", false },
		      { "stanzas.written", "written", false },
		      { "stanzas.refused", "refused", false },
		      { "stanzas.uncertain", "uncertain", false },
		      { "stanzas.bounced", "bounced", false },
		      { "stanzas.open", "open", false } };
	const json_t *counters = json_object_get(status, "counters");
	const char *between = "";

	for (size_t i = 0; i < nitems(parts); i++) {
		json_int_t count = number_of(counters, parts[i].counter);

		if (!count && !parts[i].always)
			continue;
		buffer_printf(row, "%s%" JSON_INTEGER_FORMAT " %s", between, count, parts[i].shown);
		between = ", ";
	}
}

static void alarms(struct buffer *row, const json_t *status)
{
	static const struct {
		const char *name, *many;
	} severities[] = { { "critical", "critical" },
			   { "alert", "alerts" },
			   { "error", "errors" },
			   { "warning", "warnings" } };
	const json_t *all = json_object_get(status, "alarms");
	const char *between = "";

	for (size_t i = 0; i < nitems(severities); i++) {
		size_t count = 0, index;
		json_t *alarm;

		json_array_foreach(all, index, alarm) count +=
			strcmp(text_of(alarm, "severity"), severities[i].name) == 0;
		if (!count)
			continue;
		buffer_printf(row, "%s%zu %s", between, count,
			      count == 1 ? severities[i].name : severities[i].many);
		between = ", ";
	}
	buffer_append_text(row, *between ? "; sallyport alarms says what helps" : "none");
}

static void settings(struct buffer *row, const json_t *status)
{
	buffer_printf(row, "revision %" JSON_INTEGER_FORMAT, number_of(status, "revision"));
	if (*text_of(status, "release"))
		buffer_printf(row, "; release %s", text_of(status, "release"));
}

/* Parts that every node has, or those with the role; lists only if there is something in them. */
static const struct {
	const char *label;
	void (*write)(struct buffer *row, const json_t *status);
	const char *list, *name, *well; /* instead of `write` */
	const char *role;		/* NULL: all */
	bool is_traffics;		/* who alone knows it */
} parts[] = {
	{ "federation", .write = federation },
	{ "processes", .list = "processes", .name = "name", .well = "running" },
	{ "links", .list = "links", .name = "node", .well = "open" },
	{ "tunnels", .list = "tunnels", .name = "node", .well = "up" },
	{ "attachments", .list = "attachments", .name = "name", .well = "up" },
	{ "home servers", .list = "home_servers", .name = "name", .well = "ready" },
	{ "streams", .write = streams, .role = "edge", .is_traffics = true },
	{ "queues", .write = queues, .role = "edge", .is_traffics = true },
	{ "stanzas", .write = stanzas, .is_traffics = true },
	{ "alarms", .write = alarms },
	{ "settings", .write = settings },
};

static bool is_silent(const json_t *status, const char *process)
{
	size_t index;
	json_t *silent;

	json_array_foreach(json_object_get(status, "silent"), index, silent)
	{
		if (strcmp(text_of(silent, "process"), process) == 0)
			return true;
	}
	return false;
}

char *status_brief(const json_t *status)
{
	bool traffic_is_silent = is_silent(status, "traffic");
	const char *role = text_of(json_object_get(status, "node"), "role");
	const json_t *wrong = json_object_get(status, "wrong");
	struct buffer out = { 0 };
	char verdict[STATUS_LINE_BYTES];

	status_line(verdict, text_of(status, "verdict"), 2 * WIDTH - 3);
	buffer_printf(&out, "%s\n", verdict);
	if (json_array_size(wrong) > 1) /* one alone is the verdict */
		write_sentences(&out, wrong, "! ", WRONG_SHOWN);
	write_sentences(&out, json_object_get(status, "warnings"), "warning: ", WARNINGS_SHOWN);
	write_others(&out, status);
	for (size_t i = 0; i < nitems(parts); i++) {
		const json_t *rows = parts[i].list ? json_object_get(status, parts[i].list) : NULL;
		struct buffer row = { 0 };

		if ((parts[i].role && strcmp(parts[i].role, role) != 0) ||
		    (parts[i].list && !json_array_size(rows)))
			continue;
		if (parts[i].is_traffics && traffic_is_silent)
			buffer_append_text(&row, "not known");
		else if (parts[i].list)
			list(&row, rows, parts[i].name, parts[i].well);
		else
			parts[i].write(&row, status);
		write_row(&out, parts[i].label, &row);
	}
	return buffer_take_text(&out);
}
