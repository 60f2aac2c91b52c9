#include "admin/event_line.h"

#include "base/alloc.h"
#include "base/log_escape.h"

#include <stdlib.h>
#include <strings.h>

#define TIME_LEN 32 /* 2026-11-24T12:00:00.123456+00:00 */
#define DOMAIN_BYTES 255
#define STATE_CHANGE "Connection state change: "
#define LOOKUP "Starting resolver lookup for '"
#define RESOLVED "resolved dialback address for host="

/* What is left of a text that is read from its front. */

static struct slice take(struct slice *left, size_t len)
{
	struct slice taken = { left->data, len };

	left->data += len;
	left->len -= len;
	return taken;
}

static bool skip(struct slice *left, const char *text)
{
	size_t len = strlen(text);

	if (left->len < len || memcmp(left->data, text, len) != 0)
		return false;
	take(left, len);
	return true;
}

/* What stands before the first of these characters; false: none of them comes. */
static bool take_to(struct slice *left, const char *ends, struct slice *taken)
{
	size_t len = left->len;
	bool found = false;

	for (; *ends; ends++) {
		const char *end = len ? memchr(left->data, *ends, len) : NULL;

		if (end)
			len = (size_t)(end - left->data);
		found = found || end;
	}
	if (found)
		*taken = take(left, len);
	return found;
}

static bool take_number(struct slice *left, size_t digits, int64_t *number)
{
	*number = 0;
	if (left->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (left->data[i] < '0' || left->data[i] > '9')
			return false;
		*number = *number * 10 + (left->data[i] - '0');
	}
	take(left, digits);
	return true;
}

/* Days since 1970 in the Gregorian calendar; March begins the year, so that leap days end one. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = year - (month < 3), of_year;

	of_year = (153 * (month + (month < 3 ? 9 : -3)) + 2) / 5 + day - 1;
	return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719468;
}

static bool read_time(struct event_line *event, struct slice *left)
{
	int64_t n[7];
	static const struct {
		const char *before;
		size_t digits;
	} parts[] = { { "", 4 },  { "-", 2 }, { "-", 2 }, { "T", 2 },
		      { ":", 2 }, { ":", 2 }, { ".", 6 } };

	event->time = (struct slice){ left->data, TIME_LEN };
	for (size_t i = 0; i < nitems(parts); i++) {
		if (!skip(left, parts[i].before) || !take_number(left, parts[i].digits, &n[i]))
			return false;
	}
	if (n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 60)
		return false;
	event->unix_us =
		(((days(n[0], n[1], n[2]) * 24 + n[3]) * 60 + n[4]) * 60 + n[5]) * 1000000 + n[6];
	return skip(left, "+00:00 ");
}

/* NODE PROCESS[PID]: */
static bool read_writer(struct event_line *event, struct slice *left)
{
	struct slice digits;
	int64_t pid;

	if (!take_to(left, " ", &event->node) || !skip(left, " ") ||
	    !take_to(left, " [", &event->process) || !skip(left, "[") ||
	    !take_to(left, "]", &digits) || !digits.len || digits.len > 9 || !event->node.len ||
	    !event->process.len || !take_number(&digits, digits.len, &pid))
		return false;
	event->pid = (uint32_t)pid;
	return skip(left, "]: ");
}

static bool is_hex(struct slice text, size_t digits)
{
	for (size_t i = 0; i < digits; i++) {
		if (i >= text.len || !strchr("0123456789abcdef", text.data[i]) || !text.data[i])
			return false;
	}
	return true;
}

/* A backslash and what belongs to it; 0: none of ours. */
static size_t escape_len(struct slice s)
{
	char kind = s.len > 1 ? s.data[1] : 0;
	size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;

	if (kind == '"' || kind == '\\')
		return 2;
	return digits && is_hex((struct slice){ s.data + 2, s.len - 2 }, digits) ? 2 + digits : 0;
}

/* Up to the quote that is not escaped, which is taken too. */
static bool take_quoted(struct slice *left, struct slice *value)
{
	size_t at = 0;

	while (at < left->len && left->data[at] != '"') {
		struct slice rest = { left->data + at, left->len - at };
		size_t len = *rest.data == '\\' ? escape_len(rest) : 1;

		if (!len)
			return false;
		at += len;
	}
	if (at >= left->len)
		return false;
	*value = take(left, at);
	take(left, 1);
	return true;
}

static bool is_key(struct slice key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return key.len != 0;
}

static bool take_field(struct slice *left, struct event_line_field *field)
{
	return take_to(left, "=", &field->key) && is_key(field->key) && skip(left, "=\"") &&
	       take_quoted(left, &field->value);
}

static bool read_level(struct slice name, enum log_level *level)
{
	for (enum log_level l = LOG_LEVEL_ERROR; l <= LOG_LEVEL_DEBUG; l++) {
		if (slice_is(name, log_level_name(l))) {
			*level = l;
			return true;
		}
	}
	return false;
}

static bool place_field(struct event_line *event, const struct event_line_field *field)
{
	bool places = slice_is(field->key, "CodeLocation"),
	     details = slice_is(field->key, "Detail");

	if (event->detail.data || (event->field_count && (places || details)) ||
	    (places && event->location.data) || event->field_count == EVENT_LINE_FIELDS)
		return false;
	if (places)
		event->location = field->value;
	else if (details)
		event->detail = field->value;
	else
		event->fields[event->field_count++] = *field;
	return true;
}

static bool read_fields(struct event_line *event, struct slice *left)
{
	struct event_line_field field;

	if (!take_field(left, &field) || !slice_is(field.key, "Module") || !skip(left, " "))
		return false;
	event->module = field.value;
	if (!take_field(left, &field) || !slice_is(field.key, "Level") ||
	    !read_level(field.value, &event->level))
		return false;
	while (left->len) {
		if (!skip(left, " ") || !take_field(left, &field) || !place_field(event, &field))
			return false;
	}
	return true;
}

/* Whom it is about */

static bool same_domain(struct slice a, struct slice b)
{
	return a.len && a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

/* An address, a placeholder, or nothing at all. */
static bool is_no_domain(struct slice name)
{
	size_t of_address = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] > ' ' && strchr(":%\\\"()<>'?", name.data[i]))
			return true;
		of_address += (name.data[i] >= '0' && name.data[i] <= '9') || name.data[i] == '.';
	}
	return of_address == name.len || name.len > DOMAIN_BYTES || slice_is(name, "-");
}

/* Of a JID its domain. */
static void add_domain(struct event_line *event, struct slice name)
{
	const char *slash = name.len ? memchr(name.data, '/', name.len) : NULL, *at;

	if (slash)
		name.len = (size_t)(slash - name.data);
	at = name.len ? memchr(name.data, '@', name.len) : NULL;
	if (at)
		take(&name, (size_t)(at + 1 - name.data));
	if (is_no_domain(name) || event->domain_count == EVENT_LINE_DOMAINS)
		return;
	for (size_t i = 0; i < event->domain_count; i++) {
		if (same_domain(event->domains[i], name))
			return;
	}
	event->domains[event->domain_count++] = name;
}

/* Of a name that was looked up, without its service: _xmpp-server._tcp.example.net. */
static struct slice without_service(struct slice name)
{
	const char *dot;

	while (name.len && *name.data == '_' && (dot = memchr(name.data, '.', name.len)))
		take(&name, (size_t)(dot + 1 - name.data));
	return name;
}

static void take_pair(struct event_line *event, struct slice key, struct slice value)
{
	static const char *const domains[] = { "local", "peer", "remote", "domain" };

	if (slice_is(key, "xcoder") && !event->xcoder.len)
		event->xcoder = value;
	for (size_t i = 0; i < nitems(domains); i++) {
		if (slice_is(key, domains[i]))
			add_domain(event, value);
	}
	/* These may also name a process, a port or a node. */
	if ((slice_is(key, "from") || slice_is(key, "to") || slice_is(key, "name")) && value.len &&
	    memchr(value.data, '.', value.len))
		add_domain(event, without_service(value));
}

/* `key=value` without quotes or markup, and the space behind it; false: something else begins. */
static bool next_pair(struct slice *left, struct slice *key, struct slice *value)
{
	struct slice rest = *left;

	if (!take_to(&rest, "= ", key) || !key->len || !skip(&rest, "=") || !rest.len ||
	    *rest.data == '\\' || *rest.data == '<')
		return false;
	if (!take_to(&rest, " ", value))
		*value = take(&rest, rest.len);
	skip(&rest, " ");
	*left = rest;
	return true;
}

/* (uuid, local:remote, DIR) */
static bool read_tuple(struct event_line *event, struct slice *left)
{
	struct slice uuid, local, remote, direction;

	if (!skip(left, "(") || !take_to(left, ",", &uuid) || !skip(left, ", ") ||
	    !take_to(left, ":,", &local) || !skip(left, ":") || !take_to(left, ",", &remote) ||
	    !skip(left, ", ") || !take_to(left, ")", &direction) || !skip(left, ") "))
		return false;
	add_domain(event, local);
	add_domain(event, remote);
	return true;
}

/*
 * Only what comes before `why=` and before the first word that is neither a pair nor one of the
 * walk-through's own phrases: behind these a stranger's words may be, which must not name a stream
 * or a domain.
 */
static void read_detail(struct event_line *event)
{
	struct slice left = event->detail, key, value;
	bool named = false;

	if (skip(&left, STATE_CHANGE))
		(void)take_to(&left, "(", &value);
	named = left.len && *left.data == '(';
	if (named && !read_tuple(event, &left))
		return;
	while (next_pair(&left, &key, &value)) {
		take_pair(event, key, value);
		if (named || slice_is(key, "why"))
			return;
	}
	if ((skip(&left, LOOKUP) && take_to(&left, ":'\\", &value)) ||
	    (skip(&left, RESOLVED) && take_to(&left, " ", &value)))
		add_domain(event, value);
}

bool event_line_read(struct event_line *event, struct slice line)
{
	struct slice left = line;

	*event = (struct event_line){ 0 };
	if (!log_is_safe(line) || !read_time(event, &left) || !read_writer(event, &left) ||
	    !read_fields(event, &left))
		return false;
	read_detail(event);
	return true;
}

bool event_line_names(const struct event_line *event, const char *domain)
{
	for (size_t i = 0; i < event->domain_count; i++) {
		if (same_domain(event->domains[i], slice_of(domain)))
			return true;
	}
	return false;
}

/* For people and as JSON */

char *event_line_text(struct slice value)
{
	char *text = xmalloc(value.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		bool pair = value.data[i] == '\\' && i + 1 < value.len;

		if (pair && value.data[i + 1] == '\\')
			text[len++] = value.data[i++];
		else if (pair && value.data[i + 1] == '"')
			i++;
		text[len++] = value.data[i];
	}
	text[len] = '\0';
	return text;
}

static json_t *text_of(struct slice value)
{
	char *text = event_line_text(value);
	json_t *json = json_string(text);

	free(text);
	return json;
}

static void add_domains(json_t *json, const struct event_line *event)
{
	json_t *domains = json_array();

	for (size_t i = 0; i < event->domain_count; i++)
		json_array_append_new(domains,
				      json_stringn(event->domains[i].data, event->domains[i].len));
	json_object_set_new(json, "domains", domains);
}

static void add_own_fields(json_t *json, const struct event_line *event)
{
	const struct event_line_field *first = &event->fields[0],
				      *last = &event->fields[event->field_count - 1];
	const char *end = last->value.data + last->value.len + 1;
	json_t *fields = json_object();

	for (size_t i = 0; i < event->field_count; i++) {
		const struct event_line_field *field = &event->fields[i];

		json_object_setn_new(fields, field->key.data, field->key.len,
				     text_of(field->value));
	}
	json_object_set_new(json, "fields", fields);
	if (!event->detail.data)
		json_object_set_new(json, "detail",
				    json_stringn(first->key.data, (size_t)(end - first->key.data)));
}

json_t *event_line_json(const struct event_line *event, uint64_t seq)
{
	json_t *json = json_object();

	if (seq)
		json_object_set_new(json, "seq", json_integer((json_int_t)seq));
	json_object_set_new(json, "time", json_stringn(event->time.data, event->time.len));
	json_object_set_new(json, "node", json_stringn(event->node.data, event->node.len));
	json_object_set_new(json, "process", json_stringn(event->process.data, event->process.len));
	json_object_set_new(json, "pid", json_integer(event->pid));
	json_object_set_new(json, "module", text_of(event->module));
	json_object_set_new(json, "level", json_string(log_level_name(event->level)));
	json_object_set_new(json, "location", text_of(event->location));
	json_object_set_new(json, "detail", text_of(event->detail));
	if (event->field_count)
		add_own_fields(json, event);
	if (event->xcoder.len)
		json_object_set_new(json, "xcoder", text_of(event->xcoder));
	if (event->domain_count)
		add_domains(json, event);
	return json;
}
