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
	{ PROCESS_CONTROL,
	  "notification",
	  "notifications",
	  { "number#", "severity", "count#", "description", "origin", "created" } },
	{ PROCESS_CONTROL, "stored", "stored", { "cp_id" } },
	{ PROCESS_CONTROL, "loaded", "loaded", { "cp_id" } },
	{ PROCESS_CONTROL,
	  "certificate",
	  "certificates",
	  { "setting", "name", "not_after#", "names", "issuer", "fingerprint", "uncovered" } },
	{ PROCESS_CONTROL, "level", "levels", { "module", "level", "until#" } },
	{ PROCESS_CONTROL, "stanza-log", "stanza_logs", { "domain", "until#" } },
	{ PROCESS_CONTROL, "account", "accounts", { "name", "role", "password" } },
	{ PROCESS_CONTROL,
	  "diagnostic",
	  "diagnostics",
	  { "state", "began#", "ends#", "lines#", "bytes#", "secrets", "author" } },
	{ PROCESS_CONTROL,
	  "capture",
	  "captures",
	  { "name", "state", "interface", "packets#", "bytes#", "began#", "why" } },
	{ PROCESS_CONTROL, "domain", "domains", { "name", "federation", "node" } },
	{ PROCESS_CONTROL, "edge", "edges", { "node", "revision#", "federation", "secret" } },
	{ PROCESS_TRAFFIC, "fault", "faults", { "text" } },
	{ PROCESS_TRAFFIC,
	  "link",
	  "links",
	  { "node", "role", "state", "direction", "unsettled#", "seconds#", "why", "realms",
	    "address" } },
	{ PROCESS_TRAFFIC,
	  "attachment",
	  "attachments",
	  { "name", "state", "unsettled#", "why", "federates" } },
	{ PROCESS_TRAFFIC, "realm", "realms", { "name", "table", "link" } },
	{ PROCESS_TRAFFIC, "route", "routes", { "domain", "port" } },
	{ PROCESS_TRAFFIC, "default", "defaults", { "direction", "port" } },
	{ PROCESS_TRAFFIC, "route-dead", "dead_routes", { "domain", "why" } },
	{ PROCESS_TRAFFIC,
	  "stream",
	  "streams",
	  { "direction", "xcoder", "local", "remote", "state", "tls", "auth", "stanzas#",
	    "seconds#", "address", "certificate", "bytes#", "cipher" } },
	{ PROCESS_TRAFFIC,
	  "peer",
	  "peers",
	  { "domain", "out", "in", "waiting#", "retry_seconds#", "failure", "failed_seconds#",
	    "why", "stanzas#" } },
	{ PROCESS_TRAFFIC, "histogram", "histograms", { "name", "le", "count#" } },
	{ PROCESS_TRAFFIC,
	  "queue",
	  "queues",
	  { "local", "remote", "stanzas#", "bytes#", "oldest_seconds#" } },
	{ PROCESS_MANAGE,
	  "tunnel",
	  "tunnels",
	  { "node", "role", "state", "direction", "seconds#", "why", "ours#", "acknowledged#",
	    "theirs#", "heard_ms#", "skew_ms#" } },
	{ PROCESS_MANAGE, "secret", "secrets", { "node", "secret" } },
	{ PROCESS_MANAGE,
	  "home-server",
	  "home_servers",
	  { "name", "address", "state", "trouble", "why", "version", "seconds#", "rows",
	    "foreign" } },
};

/* Records that come once, or make an object of names and values. */
static const struct single {
	enum process from;
	const char *record, *key;
	bool named; /* the record's second field is a name in the object `key` */
} singles[] = {
	{ PROCESS_CONTROL, "revision", "revision", false },
	{ PROCESS_CONTROL, "loaded-revision", "loaded_revision", false },
	{ PROCESS_CONTROL, "secret", "secret", false },
	{ PROCESS_CONTROL, "setting", "settings", true },
	{ PROCESS_TRAFFIC, "static-routes", "static_routes", true },
	{ PROCESS_TRAFFIC, "counter", "counters", true },
};

json_t *status_begin(void)
{
	json_t *status = json_pack("{s:{}, s:[], s:{}}", "node", "silent", "others");

	for (size_t i = 0; i < nitems(kinds); i++)
		json_object_set_new(status, kinds[i].list, json_array());
	for (size_t i = 0; i < nitems(singles); i++)
		json_object_set_new(status, singles[i].key,
				    singles[i].named ? json_object() : json_null());
	return status;
}

/* A whole number; what is none stays text. */
static json_t *number(struct slice digits)
{
	bool minus = digits.len && digits.data[0] == '-';
	json_int_t value = 0;

	if (digits.len == minus || digits.len > 18)
		return protocol_string(digits);
	for (size_t i = minus; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return protocol_string(digits);
		value = value * 10 + (digits.data[i] - '0');
	}
	return json_integer(minus ? -value : value);
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

static void add_named(json_t *object, struct slice key, struct slice value)
{
	json_t *name = protocol_string(key);

	json_object_set_new(object, json_string_value(name), number(value));
	json_decref(name);
}

static void add_once(json_t *status, enum process from, const struct snapshot_record *record)
{
	static const char *const node[] = { "name", "role", "pin", NULL };

	if (from == PROCESS_CONTROL && slice_is(record->fields[0], "node"))
		json_object_set_new(status, "node", object_of(node, record));
	for (size_t i = 0; i < nitems(singles); i++) {
		const struct single *single = &singles[i];

		if (single->from != from || !slice_is(record->fields[0], single->record) ||
		    record->count < 2u + single->named)
			continue;
		if (single->named)
			add_named(json_object_get(status, single->key), record->fields[1],
				  record->fields[2]);
		else
			json_object_set_new(status, single->key, number(record->fields[1]));
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
	json_t *silent = json_object_get(status, "silent");
	size_t place = from == PROCESS_CONTROL ? 0 : json_array_size(silent); /* who knows most */

	json_array_insert_new(silent, place,
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
static void complain(json_t *list, char *sentence)
{
	for (char *at = sentence; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	json_array_append_new(list, protocol_string(slice_of(sentence)));
	free(sentence);
}

/* Names what in a list is not well. */
static void judge(const json_t *status, const char *list, const char *what, const char *name,
		  const char *why, json_t *wrong)
{
	size_t index;
	json_t *object;

	json_array_foreach(json_object_get(status, list), index, object)
	{
		const char *reason = text(object, why);

		if (!is_well(object))
			complain(wrong,
				 xasprintf("%s %s is %s%s%s", what, text(object, name),
					   text(object, "state"), *reason ? ": " : "", reason));
	}
}

/* Alarms of severity error and critical are what is wrong, the others are warnings. What has been
 * named as it is seen now is not named a second time by its alarm. */
static void judge_alarms(const json_t *status, json_t *wrong, json_t *warnings)
{
	static const unsigned seen_now[] = { 90001, 90002, 90010, 90012 };
	size_t index;
	json_t *alarm;

	json_array_foreach(json_object_get(status, "alarms"), index, alarm)
	{
		json_int_t number = json_integer_value(json_object_get(alarm, "number"));
		const char *severity = text(alarm, "severity"), *seen = text(alarm, "seen");
		const char *subject = text(alarm, "subject");
		bool is_error = strcmp(severity, "error") == 0 || strcmp(severity, "critical") == 0;
		bool named = false;

		for (size_t i = 0; i < nitems(seen_now); i++)
			named |= number == seen_now[i];
		if (!named)
			complain(is_error ? wrong : warnings,
				 xasprintf("alarm %" JSON_INTEGER_FORMAT " %s%s%s%s%s", number,
					   text(alarm, "title"), *subject ? ", " : "", subject,
					   *seen ? ": " : "", seen));
	}
}

static void count(struct buffer *out, const json_t *status, const char *list, const char *shown)
{
	size_t all = json_array_size(json_object_get(status, list)), well = 0, index;
	json_t *object;

	json_array_foreach(json_object_get(status, list), index, object) well += is_well(object);
	if (all)
		buffer_printf(out, ", %zu of %zu %s", well, all, shown);
}

/* A brief status counts them and names none. */
static size_t streams_of(const json_t *status)
{
	const json_t *open = json_object_get(json_object_get(status, "counters"), "streams.open");

	return json_is_integer(open) ? (size_t)json_integer_value(open)
				     : json_array_size(json_object_get(status, "streams"));
}

static void write_verdict(struct buffer *out, const json_t *status, const json_t *wrong,
			  const json_t *warnings)
{
	const json_t *node = json_object_get(status, "node");
	size_t streams = streams_of(status);
	size_t more = json_array_size(wrong), warned = json_array_size(warnings);

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
	count(out, status, "links", "links");
	count(out, status, "attachments", "attachments");
	count(out, status, "tunnels", "tunnels");
	count(out, status, "home_servers", "home servers");
	buffer_printf(out, ", %zu stream%s", streams, streams == 1 ? "" : "s");
	if (warned)
		buffer_printf(out, "; %zu warning%s", warned, warned == 1 ? "" : "s");
}

void status_judge(json_t *status)
{
	json_t *wrong = json_array(), *warnings = json_array(), *object;
	struct buffer out = { 0 };
	char *verdict;
	size_t index;

	json_array_foreach(json_object_get(status, "silent"), index, object)
		complain(wrong, xasprintf("%s %s", text(object, "process"), text(object, "why")));
	judge(status, "processes", "process", "name", "last_end", wrong);
	json_array_foreach(json_object_get(status, "faults"), index, object)
		complain(wrong, xstrdup(text(object, "text")));
	judge(status, "links", "link to", "node", "why", wrong);
	judge(status, "attachments", "attachment", "name", "why", wrong);
	judge_alarms(status, wrong, warnings);
	write_verdict(&out, status, wrong, warnings);
	verdict = buffer_take_text(&out);
	json_object_set_new(status, "verdict", protocol_string(slice_of(verdict)));
	json_object_set_new(status, "wrong", wrong);
	json_object_set_new(status, "warnings", warnings);
	free(verdict);
}
