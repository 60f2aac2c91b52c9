#include "store/store.h"

#include "base/alloc.h"
#include "store/database.h"
#include "store/record.h"
#include "store/revision.h"
#include "store/store_internal.h"
#include "store/value.h"
#include "tables/events.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct store {
	sqlite3 *database;
	struct seal *seal;
	uint64_t revision;
	struct setting_value *values; /* by place in the settings table */
};

static struct setting_value *place_of(const struct store *store, const struct setting *setting)
{
	return &store->values[setting - settings];
}

/* A value as it stands in the file; what another release wrote is left alone. */
static bool take_value(void *arg, const char *name, const char *entries, char **why)
{
	struct store *store = arg;
	const struct setting *setting = setting_find(name);
	struct setting_value stored, value;
	bool fits;

	if (!setting)
		return true;
	if (!record_read(store->seal, setting, entries, &stored)) {
		*why = xasprintf("%s: sealed with another key", name);
		return false;
	}
	fits = setting_read(setting, (const char *const *)stored.entries, stored.count, &value,
			    why);
	setting_value_finish(&stored);
	if (!fits)
		return false;
	setting_value_finish(place_of(store, setting));
	*place_of(store, setting) = value;
	return true;
}

/* Without any sealed value the key may be made anew. */
static bool open_seal(struct store *store, const char *key, bool create, char **why)
{
	sqlite3_int64 sealed;

	if (!database_number(store->database,
			     "SELECT count(*) FROM value WHERE entries LIKE 'sealed:%'", &sealed,
			     why))
		return false;
	if (!sealed && !create && access(key, F_OK) < 0)
		return true;
	store->seal = seal_open(key, create && !sealed, why);
	return store->seal != NULL;
}

static struct store *open_store(const char *path, const char *key, bool create, char **why)
{
	struct store *store = xcalloc(1, sizeof(*store));
	char *reason = NULL;

	store->values = xcalloc(settings_count, sizeof(*store->values));
	for (size_t i = 0; i < settings_count; i++)
		setting_default(&settings[i], &store->values[i]);
	store->database = database_open(path, create, &reason);
	if (store->database && open_seal(store, key, create, &reason) &&
	    revision_last(store->database, &store->revision, &reason) &&
	    value_each(store->database, take_value, store, &reason))
		return store;
	*why = xasprintf("%s: %s", path, reason);
	free(reason);
	store_close(&store);
	return NULL;
}

struct store *store_open(const char *path, const char *key, char **why)
{
	struct store *store = open_store(path, key, true, why);

	if (store)
		log_event(EVENT_STORE_OPENED, "path=%s revision=%" PRIu64, log_text(path),
			  store->revision);
	else
		log_event(EVENT_STORE_FAILED, "why=\"%s\"", *why);
	return store;
}

void store_close(struct store **store_ref)
{
	struct store *store = *store_ref;

	if (!store)
		return;
	*store_ref = NULL;
	database_close(&store->database);
	seal_close(&store->seal);
	for (size_t i = 0; i < settings_count; i++)
		setting_value_finish(&store->values[i]);
	free(store->values);
	free(store);
}

bool store_verify(const char *path, const char *key, char **why)
{
	struct store *store;
	char *reason = NULL;
	bool sound;

	if (access(path, F_OK) < 0)
		return true;
	store = open_store(path, key, false, why);
	if (!store)
		return false;
	sound = database_is_sound(store->database, &reason);
	if (!sound)
		*why = xasprintf("%s: %s", path, reason);
	free(reason);
	store_close(&store);
	return sound;
}

sqlite3 *store_database(struct store *store)
{
	return store->database;
}

uint64_t store_revision(const struct store *store)
{
	return store->revision;
}

const struct setting_value *store_value(const struct store *store, const struct setting *setting)
{
	return place_of(store, setting);
}

const char *store_text(const struct store *store, const char *name)
{
	const struct setting *setting = setting_find(name);
	const struct setting_value *value;

	assert(setting);
	value = place_of(store, setting);
	return value->count ? value->entries[0] : NULL;
}

static bool write_change(struct store *store, const struct store_change *change, uint64_t revision,
			 char **why)
{
	struct setting_value after;
	char *old = record_write(store->seal, change->setting, place_of(store, change->setting));
	char *new;
	bool written;

	if (change->reset)
		setting_default(change->setting, &after);
	else
		setting_value_copy(&change->value, &after);
	new = record_write(store->seal, change->setting, &after);
	written = revision_add_change(store->database, revision, change->setting->name, old, new,
				      why) &&
		  (change->reset
			   ? value_remove(store->database, change->setting->name, why)
			   : value_put(store->database, change->setting->name, new, revision, why));
	free(old);
	free(new);
	setting_value_finish(&after);
	return written;
}

static bool write_revision(struct store *store, const char *author,
			   const struct store_change *changes, size_t count, char **why)
{
	uint64_t revision = store->revision + 1;

	if (!database_run(store->database, "BEGIN IMMEDIATE", why))
		return false;
	if (!revision_add(store->database, revision, (int64_t)time(NULL), author, why))
		goto fail;
	for (size_t i = 0; i < count; i++) {
		if (!write_change(store, &changes[i], revision, why))
			goto fail;
	}
	if (database_run(store->database, "COMMIT", why))
		return true;
fail:
	/* What it says if even that fails is the first failure's consequence. */
	sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool store_change(struct store *store, const char *author, const struct store_change *changes,
		  size_t count, char **why)
{
	if (!write_revision(store, author, changes, count, why)) {
		log_event(EVENT_STORE_FAILED, "why=\"%s\"", *why);
		return false;
	}
	store->revision++;
	for (size_t i = 0; i < count; i++) {
		struct setting_value *value = place_of(store, changes[i].setting);

		setting_value_finish(value);
		if (changes[i].reset)
			setting_default(changes[i].setting, value);
		else
			setting_value_copy(&changes[i].value, value);
	}
	return true;
}

bool store_history(struct store *store, size_t max, struct store_past_change **changes,
		   size_t *count, char **why)
{
	return revision_read(store->database, store->seal, max, changes, count, why);
}

bool store_changed_at(const struct store *store, const struct setting *setting, int64_t *time_s,
		      char **why)
{
	return revision_changed_at(store->database, setting->name, time_s, why);
}

struct going_back {
	const struct store *store;
	struct setting_value *values;
};

static bool take_back(void *arg, const char *name, const char *before, char **why)
{
	struct going_back *going = arg;
	const struct setting *setting = setting_find(name);
	struct setting_value value;

	if (!setting)
		return true; /* of another release */
	if (!record_read(going->store->seal, setting, before, &value)) {
		*why = xasprintf("%s: sealed with another key", name);
		return false;
	}
	setting_value_finish(&going->values[setting - settings]);
	going->values[setting - settings] = value;
	return true;
}

bool store_values_at(const struct store *store, uint64_t revision, struct setting_value *values,
		     char **why)
{
	struct going_back going = { store, values };

	if (revision > store->revision) {
		*why = xasprintf("%" PRIu64 ": no such revision; the last is %" PRIu64, revision,
				 store->revision);
		return false;
	}
	for (size_t i = 0; i < settings_count; i++)
		setting_value_copy(&store->values[i], &values[i]);
	if (revision_each_since(store->database, revision, take_back, &going, why))
		return true;
	for (size_t i = 0; i < settings_count; i++)
		setting_value_finish(&values[i]);
	return false;
}

void store_forget(struct store_past_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(changes[i].author);
		free(changes[i].name);
		setting_value_finish(&changes[i].before);
		setting_value_finish(&changes[i].after);
	}
	free(changes);
}
