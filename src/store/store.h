/*
 * The store: the values of the settings and every change that was made to them, in one SQLite
 * file. Control alone opens it. A change is one revision, whole or not at all, and on the disk
 * when store_change returns. Values are kept in memory too, so reading cannot fail. What may be
 * stored is checked before (store/check.h), and again in form when the file is opened. Secret
 * settings are sealed in the file (store/seal.h), in the history too.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "tables/settings.h"

#include <stdint.h>

struct store;

/* Made if it is not there, and so is the file with the key of its secrets. NULL and *why
 * (allocated) on failure. */
struct store *store_open(const char *path, const char *key, char **why);
void store_close(struct store **store);
/* Whether the file and all that is in it are sound; one that is not there yet is. */
bool store_verify(const char *path, const char *key, char **why);

uint64_t store_revision(const struct store *store); /* 0: nothing was ever changed */
/* The value in force, lent until the next change. */
const struct setting_value *store_value(const struct store *store, const struct setting *setting);
/* The only entry of a plain setting; NULL if there is none. Lent likewise. */
const char *store_text(const struct store *store, const char *name);

struct store_change {
	const struct setting *setting;
	struct setting_value value; /* unless reset */
	bool reset;		    /* to the default, whatever that will be */
};

/* The values stay the caller's. False and *why: nothing was changed. */
bool store_change(struct store *store, const char *author, const struct store_change *changes,
		  size_t count, char **why);

struct store_past_change {
	uint64_t revision;
	int64_t time_s; /* since 1970 */
	char *author;
	char *name; /* of the setting, which may be of another release */
	struct setting_value before, after;
};
/* The last changes, newest first, at most `max`; the caller frees them with store_forget. */
bool store_history(struct store *store, size_t max, struct store_past_change **changes,
		   size_t *count, char **why);
void store_forget(struct store_past_change *changes, size_t count);
/* When that setting was changed last, in seconds since 1970. False and *why: never, or unreadable.
 */
bool store_changed_at(const struct store *store, const struct setting *setting, int64_t *time_s,
		      char **why);
/* The values that were in force at a revision, by place in the settings table: settings_count of
 * them, each finished by the caller. False and *why: there was no such revision, or it cannot be
 * read. */
bool store_values_at(const struct store *store, uint64_t revision, struct setting_value *values,
		     char **why);

#endif
