#include "admin/status.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "ctl/protocol.h"
#include "ipc/snapshot.h"

#include <stdlib.h>

/* A record becomes an object in a list; a key that ends in '#' is a number. */
static const struct kind {
	enum process from;
	const char *record, *list;
	const char *keys[SNAPSHOT_FIELDS_MAX];
} kinds[] = {
	{ PROCESS_CONTROL,
	  "process",
	  "processes",
	  { "name", "pid#", "state", "starts#", "last_end" } },
	{ PROCESS_CONTROL, "listener", "listeners", { "service", "address" } },
	{ PROCESS_TRAFFIC, "fault", "faults", { "text" } },
	{ PROCESS_TRAFFIC,
	  "link",
	  "links",
	  { "node", "role", "state", "direction", "unsettled#", "seconds#", "why" } },
	{ PROCESS_TRAFFIC, "attachment", "attachments", { "name", "state", "unsettled#", "why" } },
	{ PROCESS_TRAFFIC,
	  "stream",
	  "streams",
	  { "direction", "xcoder", "local", "remote", "state", "tls", "auth", "stanzas#",
	    "seconds#" } },
	{ PROCESS_TRAFFIC,
	  "queue",
	  "queues",
	  { "local", "remote", "stanzas#", "bytes#", "oldest_seconds#" } },
};

json_t *status_begin(void)
{
	json_t *status = json_pack("{s:{}, s:n, s:[]}", "node", "revision", "silent");

	for (size_t i = 0; i < nitems(kinds); i++)
		json_object_set_new(status, kinds[i].list, json_array());
	json_object_set_new(status, "counters", json_object());
	return status;
}

/* A whole number; what is none stays text. */
static json_t *number(struct slice digits)
{
	json_int_t value = 0;

	if (digits.len == 0 || digits.len > 18)
		return protocol_string(digits);
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return protocol_string(digits);
		value = value * 10 + (digits.data[i] - '0');
	}
	return json_integer(value);
}

static json_t *object_of(const char *const *keys, const struct snapshot_record *record)
{
	json_t *object = json_object();

	for (size_t i = 0; keys[i]; i++) {
		size_t len = strlen(keys[i]);
		struct slice value =
			i + 1 < record->count ? record->fields[i + 1] : (struct slice){ "", 0 };

		if (keys[i][len - 1] == '#')
			json_object_setn_new(object, keys[i], len - 1, number(value));
		else
			json_object_setn_new(object, keys[i], len, protocol_string(value));
	}
	return object;
}

static void add_once(json_t *status, enum process from, const struct snapshot_record *record)
{
	static const char *const node[] = { "name", "role", "pin", NULL };

	if (from == PROCESS_CONTROL && slice_is(record->fields[0], "node")) {
		json_object_set_new(status, "node", object_of(node, record));
	} else if (from == PROCESS_CONTROL && slice_is(record->fields[0], "revision") &&
		   record->count > 1) {
		json_object_set_new(status, "revision", number(record->fields[1]));
	} else if (from == PROCESS_TRAFFIC && slice_is(record->fields[0], "counter") &&
		   record->count > 2) {
		json_t *name = protocol_string(record->fields[1]);

		json_object_set_new(json_object_get(status, "counters"), json_string_value(name),
				    number(record->fields[2]));
		json_decref(name);
	}
}

bool status_add(json_t *status, enum process from, struct slice report)
{
	struct snapshot_record record;
	struct snapshot *snapshot;
	const char *why;
	size_t place = 0;

	snapshot = snapshot_read(report, &why);
	if (!snapshot)
		return false;
	while (snapshot_next(snapshot, &place, &record)) {
		const struct kind *kind = NULL;

		for (size_t i = 0; i < nitems(kinds) && !kind; i++) {
			if (kinds[i].from == from && slice_is(record.fields[0], kinds[i].record))
				kind = &kinds[i];
		}
		if (kind)
			json_array_append_new(json_object_get(status, kind->list),
					      object_of(kind->keys, &record));
		else
			add_once(status, from, &record);
	}
	snapshot_destroy(&snapshot);
	return true;
}

void status_silent(json_t *status, enum process from, const char *why)
{
	json_array_append_new(json_object_get(status, "silent"),
			      json_pack("{s:s, s:s}", "process", process_name(from), "why", why));
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool is_well(const json_t *object)
{
	static const char *const well[] = { "up", "ready", "open", "running" };
	const char *state = text(object, "state");

	for (size_t i = 0; i < nitems(well); i++) {
		if (strcmp(state, well[i]) == 0)
			return true;
	}
	return false;
}

/* One line, whatever a peer said that is quoted in it. Takes the sentence. */
static void complain(json_t *wrong, char *sentence)
{
	for (char *at = sentence; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	json_array_append_new(wrong, protocol_string(slice_of(sentence)));
	free(sentence);
}

/* Names what in a list is not well; returns how many are. */
static size_t judge(const json_t *status, const char *list, const char *what, const char *name,
		    const char *why, json_t *wrong)
{
	size_t index, well = 0;
	json_t *object;

	json_array_foreach(json_object_get(status, list), index, object)
	{
		const char *reason = text(object, why);

		if (is_well(object))
			well++;
		else
			complain(wrong,
				 xasprintf("%s %s is %s%s%s", what, text(object, name),
					   text(object, "state"), *reason ? ": " : "", reason));
	}
	return well;
}

static void count(struct buffer *out, const json_t *status, const char *list, size_t well)
{
	size_t all = json_array_size(json_object_get(status, list));

	if (all)
		buffer_printf(out, ", %zu of %zu %s", well, all, list);
}

static void write_verdict(struct buffer *out, const json_t *status, const json_t *wrong,
			  size_t links, size_t attachments)
{
	const json_t *node = json_object_get(status, "node");
	size_t streams = json_array_size(json_object_get(status, "streams"));
	size_t more = json_array_size(wrong);

	if (json_object_size(node))
		buffer_printf(out, "%s (%s): ", text(node, "name"), text(node, "role"));
	else
		buffer_append_text(out, "this node: ");
	if (more) {
		buffer_append_text(out, json_string_value(json_array_get(wrong, 0)));
		if (more > 1)
			buffer_printf(out, ", and %zu more", more - 1);
		return;
	}
	buffer_append_text(out, "up");
	count(out, status, "links", links);
	count(out, status, "attachments", attachments);
	buffer_printf(out, ", %zu stream%s", streams, streams == 1 ? "" : "s");
}

void status_judge(json_t *status)
{
	json_t *wrong = json_array(), *object;
	struct buffer out = { 0 };
	size_t index, links, attachments;
	char *verdict;

	json_array_foreach(json_object_get(status, "silent"), index, object)
		complain(wrong, xasprintf("%s %s", text(object, "process"), text(object, "why")));
	judge(status, "processes", "process", "name", "last_end", wrong);
	json_array_foreach(json_object_get(status, "faults"), index, object)
		complain(wrong, xstrdup(text(object, "text")));
	links = judge(status, "links", "link to", "node", "why", wrong);
	attachments = judge(status, "attachments", "attachment", "name", "why", wrong);
	write_verdict(&out, status, wrong, links, attachments);
	verdict = buffer_take_text(&out);
	json_object_set_new(status, "verdict", protocol_string(slice_of(verdict)));
	json_object_set_new(status, "wrong", wrong);
	free(verdict);
}
