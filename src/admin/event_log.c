#include "admin/event_log.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/line_ring.h"
#include "ipc/wire.h"
#include "policy/domain.h"

#include <stdlib.h>
#include <strings.h>

struct event_follower {
	struct event_log *log;
	struct event_follower *next;
	struct event_filter filter;
	event_log_fn *take; /* NULL: it does not follow any more */
	void *arg;
};

struct event_log {
	struct line_ring *ring;
	struct event_follower *followers;
	size_t follower_count;
	bool telling; /* who leaves meanwhile is freed afterwards */
};

_Static_assert(EVENT_LOG_FILTER_BYTES > DOMAIN_BYTES, "a domain fits into a filter");

/* Filters */

static bool set_text(char *text, const char *value, const char **why)
{
	if (strlen(value) >= EVENT_LOG_FILTER_BYTES) {
		*why = "it is too long";
		return false;
	}
	memcpy(text, value, strlen(value) + 1);
	return true;
}

/* As the log writes domains; what is none finds nothing. */
static bool set_domain(char *text, const char *value, const char **why)
{
	return domain_prepare(slice_of(value), text) || set_text(text, value, why);
}

static bool set_since(struct event_filter *filter, const char *value, int64_t now, const char **why)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 12 || value[digits]) {
		*why = "not a number of seconds";
		return false;
	}
	filter->since = now - strtoll(value, NULL, 10);
	return true;
}

bool event_filter_set(struct event_filter *filter, const char *key, const char *value, int64_t now,
		      const char **why)
{
	const struct {
		const char *key;
		char *text;
	} texts[] = {
		{ "stream", filter->stream },
		{ "module", filter->module },
		{ "text", filter->text },
	};

	for (size_t i = 0; i < nitems(texts); i++) {
		if (strcmp(key, texts[i].key) == 0)
			return set_text(texts[i].text, value, why);
	}
	if (strcmp(key, "domain") == 0)
		return set_domain(filter->domain, value, why);
	if (strcmp(key, "since") == 0)
		return set_since(filter, value, now, why);
	*why = strcmp(key, "level") == 0 ? "not error, warn, info or debug" : "no such key";
	return strcmp(key, "level") == 0 && log_level_read(value, &filter->level);
}

static bool contains(struct slice line, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= line.len; i++) {
		if (strncasecmp(line.data + i, text, len) == 0)
			return true;
	}
	return !len;
}

static bool is_wanted(const struct event_filter *filter, struct slice line,
		      const struct event_line *event)
{
	if (filter->without && slice_is(event->location, filter->without))
		return false;
	return event->level <= filter->level && event->unix_us / 1000000 >= filter->since &&
	       (!*filter->module || slice_is(event->module, filter->module)) &&
	       (!*filter->stream ||
		(event->xcoder.len == strlen(filter->stream) &&
		 strncasecmp(event->xcoder.data, filter->stream, event->xcoder.len) == 0)) &&
	       (!*filter->domain || event_line_names(event, filter->domain)) &&
	       contains(line, filter->text);
}

/* The log */

struct event_log *event_log_create(size_t keep)
{
	struct event_log *log = xcalloc(1, sizeof(*log));

	log->ring = line_ring_create(keep, EVENT_LOG_BYTES_MAX);
	return log;
}

void event_log_destroy(struct event_log **log)
{
	if (!*log)
		return;
	line_ring_destroy(&(*log)->ring);
	free(*log);
	*log = NULL;
}

void event_log_keep(struct event_log *log, size_t keep)
{
	line_ring_resize(log->ring, keep);
}

static void free_who_left(struct event_log *log)
{
	struct event_follower **at = &log->followers;

	while (*at) {
		struct event_follower *follower = *at;

		if (follower->take) {
			at = &follower->next;
			continue;
		}
		*at = follower->next;
		free(follower);
	}
}

static void tell(struct event_log *log, uint64_t seq, struct slice line)
{
	struct event_line event;

	if (!log->followers || !event_line_read(&event, line))
		return;
	log->telling = true;
	for (struct event_follower *f = log->followers; f; f = f->next) {
		if (f->take && is_wanted(&f->filter, line, &event))
			f->take(f->arg, seq, line, &event);
	}
	log->telling = false;
	free_who_left(log);
}

static void take_line(struct event_log *log, struct slice line)
{
	uint64_t seq = line_ring_add(log->ring, line);

	tell(log, seq, line);
}

bool event_log_take(struct event_log *log, struct slice body)
{
	struct wire in = wire_read(body);
	uint64_t first = wire_get_u64(&in);
	const char *end;

	if (in.failed || first <= line_ring_last(log->ring))
		return false;
	if (first != line_ring_last(log->ring) + 1)
		line_ring_skip_to(log->ring, first);
	while (in.left.len && (end = memchr(in.left.data, '\n', in.left.len))) {
		size_t len = (size_t)(end - in.left.data);

		take_line(log, (struct slice){ in.left.data, len });
		in.left.data += len + 1;
		in.left.len -= len + 1;
	}
	return true;
}

/* Questions */

typedef void show_fn(void *arg, uint64_t seq, struct slice line, const struct event_line *event);

/* Calls show for the newest `limit` that are wanted, oldest first. */
static void show_newest(const struct event_log *log, const struct event_filter *filter,
			uint64_t before, size_t limit, show_fn *show, void *arg)
{
	uint64_t first = line_ring_first(log->ring), last = line_ring_last(log->ring), *found;
	size_t count = 0;
	struct event_line event;

	if (limit > EVENT_LOG_LIMIT_MAX)
		limit = EVENT_LOG_LIMIT_MAX;
	if (before && before <= last)
		last = before - 1;
	found = xcalloc(limit + 1, sizeof(*found));
	for (uint64_t seq = last; seq >= first && count < limit; seq--) {
		struct slice line = line_ring_get(log->ring, seq);

		if (line.data && event_line_read(&event, line) && is_wanted(filter, line, &event))
			found[count++] = seq;
	}
	while (count) {
		uint64_t seq = found[--count];
		struct slice line = line_ring_get(log->ring, seq);

		event_line_read(&event, line);
		show(arg, seq, line, &event);
	}
	free(found);
}

static void add_json(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	json_array_append_new(arg, event_line_json(event, seq));
}

static void add_text(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	buffer_append_slice(arg, line);
	buffer_append_text(arg, "\n");
}

json_t *event_log_query(const struct event_log *log, const struct event_filter *filter,
			uint64_t before, size_t limit)
{
	uint64_t first = line_ring_first(log->ring), last = line_ring_last(log->ring);
	json_t *answer = json_object(), *events = json_array();

	show_newest(log, filter, before, limit, add_json, events);
	json_object_set_new(answer, "events", events);
	json_object_set_new(answer, "first", json_integer(first > last ? 0 : (json_int_t)first));
	json_object_set_new(answer, "last", json_integer(first > last ? 0 : (json_int_t)last));
	return answer;
}

char *event_log_text(const struct event_log *log, const struct event_filter *filter,
		     uint64_t before, size_t limit)
{
	struct buffer out = { 0 };

	show_newest(log, filter, before, limit, add_text, &out);
	return buffer_take_text(&out);
}

/* Followers */

struct event_follower *event_log_follow(struct event_log *log, const struct event_filter *filter,
					event_log_fn *take, void *arg)
{
	struct event_follower *follower;

	if (log->follower_count == EVENT_LOG_FOLLOWERS_MAX)
		return NULL;
	follower = xcalloc(1, sizeof(*follower));
	*follower = (struct event_follower){ log, log->followers, *filter, take, arg };
	log->followers = follower;
	log->follower_count++;
	return follower;
}

void event_log_unfollow(struct event_follower **follower_ref)
{
	struct event_follower *follower = *follower_ref;
	struct event_log *log;

	if (!follower)
		return;
	*follower_ref = NULL;
	log = follower->log;
	follower->take = NULL;
	log->follower_count--;
	if (!log->telling)
		free_who_left(log);
}
