#include "process/notices.h"

#include "base/alloc.h"
#include "base/utc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "store/notification.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of the original (Cisco Unified CM IM and Presence). */
#define DESCRIPTION                                                                                \
	"Cisco XCP Router: (%s) requires a restart in order for recent configuration changes to "  \
	"take effect. You can restart this service here. Once the service is restarted, this "     \
	"notification will be deleted automatically."
#define ORIGIN "Cisco XCP Config Manager"
#define SEVERITY "Warning"

struct notices {
	struct node *node;
	struct setting_value stored; /* xmpps2snodes as it was when we looked last */
	struct setting_value loaded; /* cp_ids, as traffic told */
	uint64_t loaded_revision;
	bool told; /* by traffic, what is loaded */
	bool owed; /* a change came before traffic had told */
};

static const struct setting *table(void)
{
	return setting_find("xmpps2snodes");
}

static const struct setting_value *stored_table(const struct notices *notices)
{
	return store_value(notices->node->store, table());
}

struct notices *notices_create(struct node *node)
{
	struct notices *notices = xcalloc(1, sizeof(*notices));

	notices->node = node;
	setting_value_copy(stored_table(notices), &notices->stored);
	return notices;
}

void notices_destroy(struct notices **notices_ref)
{
	struct notices *notices = *notices_ref;

	if (!notices)
		return;
	*notices_ref = NULL;
	setting_value_finish(&notices->stored);
	setting_value_finish(&notices->loaded);
	free(notices);
}

static void log_trouble(char *why)
{
	log_event(EVENT_STORE_FAILED, "why=\"%s\"", why);
	free(why);
}

static bool is_loaded(const struct notices *notices, struct slice cp_id)
{
	for (size_t i = 0; i < notices->loaded.count; i++) {
		if (slice_is(cp_id, notices->loaded.entries[i]))
			return true;
	}
	return false;
}

static bool is_stored(const struct notices *notices, const char *cp_id)
{
	const struct setting_value *stored = stored_table(notices);
	struct slice fields[SETTING_FIELDS_MAX];

	for (size_t i = 0; i < stored->count; i++) {
		setting_split(table(), stored->entries[i], fields);
		if (slice_is(fields[1], cp_id))
			return true;
	}
	return false;
}

/* Whether the router works by another table than the stored one. */
static bool differs(const struct notices *notices)
{
	const struct setting_value *stored = stored_table(notices);
	struct slice fields[SETTING_FIELDS_MAX];

	for (size_t i = 0; i < stored->count; i++) {
		setting_split(table(), stored->entries[i], fields);
		if (!is_loaded(notices, fields[1]))
			return true;
	}
	for (size_t i = 0; i < notices->loaded.count; i++) {
		if (!is_stored(notices, notices->loaded.entries[i]))
			return true;
	}
	return false;
}

static bool waits_for_restart(const struct notices *notices)
{
	return strcmp(store_text(notices->node->store, "router.apply"), "restart") == 0;
}

static void raise_one(struct notices *notices)
{
	struct store *store = notices->node->store;
	struct notification *list;
	char *why = NULL, *description = NULL;
	size_t count;
	bool done;

	if (!notification_list(store, &list, &count, &why)) {
		log_trouble(why);
		return;
	}
	if (count) {
		done = notification_count_up(store, list[count - 1].number, &why);
	} else {
		description = xasprintf(DESCRIPTION, notices->node->bootstrap->name);
		done = notification_add(store, description, &why);
		if (done)
			log_event(EVENT_NOTICE_RAISED, "origin=\"" ORIGIN "\" description=\"%s\"",
				  description);
	}
	if (!done)
		log_trouble(why);
	free(description);
	notification_forget(list, count);
}

static bool clear_one(struct notices *notices, int64_t number, const char *reason, bool *found,
		      char **why)
{
	if (!notification_delete(notices->node->store, number, found, why))
		return false;
	if (*found)
		log_event(EVENT_NOTICE_CLEARED, "number=%" PRId64 " why=\"%s\"", number, reason);
	return true;
}

static void clear_all(struct notices *notices)
{
	struct notification *list;
	char *why = NULL;
	size_t count;
	bool found;

	if (!notification_list(notices->node->store, &list, &count, &why)) {
		log_trouble(why);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!clear_one(notices, list[i].number, "the router works by what is stored",
			       &found, &why)) {
			log_trouble(why);
			why = NULL;
		}
	}
	notification_forget(list, count);
}

/* `changed`: the table was, since the router loaded its own or since we settled last. */
static void settle(struct notices *notices, bool changed)
{
	if (!differs(notices))
		clear_all(notices);
	else if (changed && waits_for_restart(notices))
		raise_one(notices);
}

void notices_changed(struct notices *notices)
{
	const struct setting_value *stored = stored_table(notices);

	if (setting_value_equals(stored, &notices->stored))
		return;
	setting_value_finish(&notices->stored);
	setting_value_copy(stored, &notices->stored);
	if (notices->told)
		settle(notices, true);
	else
		notices->owed = true;
}

/* u64 revision, u16 count, cp_ids. False: it cannot be read, nothing is taken. */
static bool read_loaded(struct slice body, uint64_t *revision, struct setting_value *loaded)
{
	struct wire in = wire_read(body);
	size_t count;

	*revision = wire_get_u64(&in);
	count = wire_get_u16(&in);
	if (count > NOTICES_ROWS_MAX)
		return false;
	loaded->entries = xcalloc(count ? count : 1, sizeof(*loaded->entries));
	while (loaded->count < count && !in.failed) {
		char *cp_id = wire_get_text(&in, SETTING_ENTRY_BYTES);

		if (cp_id)
			loaded->entries[loaded->count++] = cp_id;
	}
	return wire_is_done(&in);
}

void notices_loaded(struct notices *notices, struct slice body)
{
	struct setting_value loaded = { 0 };
	uint64_t revision;

	if (!read_loaded(body, &revision, &loaded)) {
		log_event(EVENT_IPC_REFUSED, "from=traffic type=loaded why=\"cannot be read\"");
		setting_value_finish(&loaded);
		return;
	}
	setting_value_finish(&notices->loaded);
	notices->loaded = loaded;
	notices->loaded_revision = revision;
	notices->told = true;
	settle(notices, notices->owed);
	notices->owed = false;
}

bool notices_delete(struct notices *notices, const char *number, char **why)
{
	char *end;
	int64_t value = strtoll(number, &end, 10);
	bool found = false;

	if (*number && !*end && value > 0 &&
	    !clear_one(notices, value, "deleted by hand", &found, why))
		return false;
	if (!found)
		*why = xasprintf("%s: no such notification", number);
	return found;
}

static void report_one(struct buffer *out, const struct notification *notification)
{
	char number[24], count[24], day[UTC_BYTES];

	snprintf(number, sizeof(number), "%" PRId64, notification->number);
	snprintf(count, sizeof(count), "%" PRId64, notification->count);
	utc_text(notification->created_s, day);
	snapshot_add(out, &(struct snapshot_record){ 7,
						     { slice_of("notification"), slice_of(number),
						       slice_of(SEVERITY), slice_of(count),
						       slice_of(notification->description),
						       slice_of(ORIGIN), slice_of(day) } });
}

void notices_report(const struct notices *notices, struct buffer *out)
{
	struct notification *list;
	char *why = NULL;
	size_t count;

	if (notification_list(notices->node->store, &list, &count, &why)) {
		for (size_t i = 0; i < count; i++)
			report_one(out, &list[i]);
		notification_forget(list, count);
	} else {
		log_trouble(why);
	}
	if (!notices->told)
		return;
	snapshot_add_int(out, "loaded-revision", (int64_t)notices->loaded_revision);
	for (size_t i = 0; i < notices->loaded.count; i++)
		snapshot_add_text(out, "loaded", notices->loaded.entries[i]);
}
