/*
 * A set of changes to the settings, gathered before anything is stored: each value is checked as it
 * is added, and later ones build on earlier ones. Nothing is changed here.
 */
#ifndef PROCESS_PLAN_H
#define PROCESS_PLAN_H

#include "store/store.h"

struct plan {
	struct store_change *changes; /* one for each setting */
	size_t count, size;
};

void plan_finish(struct plan *plan); /* all zero again */

/* The value as it would be: as planned, or as it is in force. Lent. */
const struct setting_value *plan_value(const struct plan *plan, const struct store *store,
				       const struct setting *setting);
/* `words` are the entries. False and *why. */
bool plan_set(struct plan *plan, const struct setting *setting, const char *const *words,
	      size_t count, char **why);
/* Takes a value that needs no check. */
void plan_take(struct plan *plan, const struct setting *setting, struct setting_value *value);
/* Back to the default; of what is made at random, a new one. False and *why. */
bool plan_reset(struct plan *plan, const struct setting *setting, char **why);

/* Rows of a setting of keyed records: puts one in the place of that with the same key, or at the
 * end; removes that with the key (fine if there is none). False and *why. */
bool plan_put_row(struct plan *plan, const struct store *store, const struct setting *setting,
		  const char *row, char **why);
bool plan_remove_row(struct plan *plan, const struct store *store, const struct setting *setting,
		     const char *key, char **why);
/* The row with that key; NULL: none. */
const char *plan_row(const struct plan *plan, const struct store *store,
		     const struct setting *setting, const char *key);

/* Takes out what would be as it is. */
void plan_drop_what_stays(struct plan *plan, const struct store *store);

#endif
