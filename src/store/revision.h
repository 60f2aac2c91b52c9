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

#endif
