#include "admin/alarms.h"

#include "admin/alarm_checks.h"
#include "base/alloc.h"
#include "base/utc.h"
#include "ctl/protocol.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	enum alarm alarm;
	char *subject, *seen;
	uint64_t first_ms;
	int64_t since_s;
	bool holds;  /* as of this update */
	bool raised; /* known to the operator */
	bool told;   /* by alarms_next: that it is raised, or is no more */
};

struct alarms {
	struct entry *entries, *lowered; /* lowered: by the last update */
	size_t count;			 /* of the entries */
	struct alarms_now now;
	uint64_t started_ms;
	bool started;
};

struct alarms *alarms_create(void)
{
	return xcalloc(1, sizeof(struct alarms));
}

static void free_all(struct entry **list)
{
	while (*list) {
		struct entry *entry = *list;

		*list = entry->next;
		free(entry->subject);
		free(entry->seen);
		free(entry);
	}
}

void alarms_destroy(struct alarms **alarms_ref)
{
	struct alarms *alarms = *alarms_ref;

	if (!alarms)
		return;
	*alarms_ref = NULL;
	free_all(&alarms->entries);
	free_all(&alarms->lowered);
	free(alarms);
}

/* One line of bounded length, in UTF-8 still. Takes the text. */
static char *tidy(char *text)
{
	size_t len = strlen(text);

	if (len > ALARMS_SEEN_BYTES) {
		len = ALARMS_SEEN_BYTES;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		text[len] = '\0';
	}
	for (char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
		if (*at == '"') /* it is quoted in the log */
			*at = '\'';
	}
	return text;
}

static struct entry *find(struct alarms *alarms, enum alarm alarm, const char *subject)
{
	struct entry *entry = alarms->entries;

	while (entry && (entry->alarm != alarm || strcmp(entry->subject, subject) != 0))
		entry = entry->next;
	return entry;
}

static void see(const struct alarm_view *view, const char *subject, char *seen)
{
	struct alarms *alarms = view->arg;
	char *clean = tidy(xstrdup(subject));
	struct entry *entry = find(alarms, view->alarm, clean);

	if (!entry && alarms->count < ALARMS_MAX) {
		entry = xcalloc(1, sizeof(*entry));
		*entry = (struct entry){ .next = alarms->entries,
					 .alarm = view->alarm,
					 .subject = xstrdup(clean),
					 .first_ms = alarms->now.ms,
					 .since_s = alarms->now.clock_s };
		alarms->entries = entry;
		alarms->count++;
	}
	free(clean);
	if (!entry) {
		free(seen);
		return;
	}
	free(entry->seen);
	entry->seen = tidy(seen);
	entry->holds = true;
}

static unsigned silent_processes(const json_t *status)
{
	unsigned silent = 0;
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(status, "silent"), index, row)
	{
		const char *name = json_string_value(json_object_get(row, "process"));

		if (name && strcmp(name, "control") == 0)
			silent |= ALARM_ASKS_CONTROL;
		else if (name && strcmp(name, "traffic") == 0)
			silent |= ALARM_ASKS_TRAFFIC;
	}
	return silent;
}

/* Raises what has held for long enough, lowers what holds no more. */
static void settle(struct alarms *alarms)
{
	bool starting = alarms->now.ms - alarms->started_ms < ALARMS_START_MS;
	struct entry **at = &alarms->entries;

	while (*at) {
		struct entry *entry = *at;

		if (entry->holds) {
			entry->raised |= !starting && alarms->now.ms - entry->first_ms >=
							      alarm_checks[entry->alarm].hold_ms;
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		entry->next = alarms->lowered;
		entry->told = !entry->raised;
		alarms->lowered = entry;
		alarms->count--;
	}
}

void alarms_update(struct alarms *alarms, const json_t *status, const struct alarms_now *now)
{
	struct alarm_view view = {
		.status = status, .clock_s = now->clock_s, .see = see, .arg = alarms
	};
	unsigned silent = silent_processes(status);

	free_all(&alarms->lowered);
	alarms->now = *now;
	if (!alarms->started)
		alarms->started_ms = now->ms;
	alarms->started = true;
	for (struct entry *entry = alarms->entries; entry; entry = entry->next)
		entry->holds = (alarm_checks[entry->alarm].asks & silent) != 0;
	for (enum alarm alarm = 0; alarm < ALARM_COUNT; alarm++) {
		view.alarm = alarm;
		if (!(alarm_checks[alarm].asks & silent))
			alarm_checks[alarm].check(&view);
	}
	settle(alarms);
}

static bool next_of(struct entry *entry, struct alarm_change *change)
{
	for (; entry; entry = entry->next) {
		if (entry->told || !entry->raised)
			continue;
		entry->told = true;
		*change = (struct alarm_change){ entry->alarm, entry->subject, entry->seen,
						 entry->holds };
		return true;
	}
	return false;
}

bool alarms_next(struct alarms *alarms, struct alarm_change *change)
{
	return next_of(alarms->lowered, change) || next_of(alarms->entries, change);
}

static json_t *describe(const struct entry *entry)
{
	const struct alarm_row *row = &alarm_rows[entry->alarm];
	char text[UTC_BYTES];

	utc_text(entry->since_s, text);
	return json_pack("{s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:s}", "number", (int)row->number,
			 "severity", row->severity, "title", row->title, "subject",
			 protocol_string(slice_of(entry->subject)), "since", text, "seen",
			 protocol_string(slice_of(entry->seen)), "cause", row->cause, "fix",
			 row->fix);
}

json_t *alarms_list(const struct alarms *alarms)
{
	json_t *list = json_array();

	for (enum alarm alarm = 0; alarm < ALARM_COUNT; alarm++) {
		for (const struct entry *entry = alarms->entries; entry; entry = entry->next) {
			if (entry->alarm == alarm && entry->raised)
				json_array_append_new(list, describe(entry));
		}
	}
	return list;
}
