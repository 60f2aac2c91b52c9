/* The values in force: table `value`, a row for each setting that is not at its default. */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Calls take for each; its failure ends the walk and is the walk's. */
bool value_each(sqlite3 *database,
		bool (*take)(void *arg, const char *setting, const char *entries, char **why),
		void *arg, char **why);
bool value_put(sqlite3 *database, const char *setting, const char *entries, uint64_t revision,
	       char **why);
bool value_remove(sqlite3 *database, const char *setting, char **why);

#endif
