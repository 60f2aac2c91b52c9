/* Who changed what, when: tables `revision` and `change`. Rows are only ever added. */
#ifndef STORE_REVISION_H
#define STORE_REVISION_H

#include "store/seal.h"
#include "store/store.h"

#include <sqlite3.h>

bool revision_last(sqlite3 *database, uint64_t *revision, char **why);
bool revision_add(sqlite3 *database, uint64_t revision, int64_t time_s, const char *author,
		  char **why);
bool revision_add_change(sqlite3 *database, uint64_t revision, const char *setting,
			 const char *before, const char *after, char **why);
/* See store_history. */
bool revision_read(sqlite3 *database, const struct seal *seal, size_t max,
		   struct store_past_change **changes, size_t *count, char **why);

bool revision_changed_at(sqlite3 *database, const char *setting, int64_t *time_s, char **why);
/* Each change after that revision, the newest first: what was before, as it stands in the column.
 * Its failure ends the walk and is the walk's. */
bool revision_each_since(sqlite3 *database, uint64_t revision,
			 bool (*take)(void *arg, const char *setting, const char *before,
				      char **why),
			 void *arg, char **why);

#endif
