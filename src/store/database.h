/*
 * The SQLite file under the store: opened so that what was committed survives a kill and a power
 * cut, readable by its owner alone, with its schema made or brought up to date. Statements are
 * made and thrown away; a change of settings is no hot path.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

/* NULL and *why (allocated) on failure; not there and not `create` is one. */
sqlite3 *database_open(const char *path, bool create, char **why);
void database_close(sqlite3 **database);

bool database_run(sqlite3 *database, const char *sql, char **why);
/* Values are bound by the caller; text by sqlite3_bind_text. NULL and *why on failure. */
sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, char **why);
/* Runs one that returns no rows, and finalizes it. */
bool database_finish(sqlite3 *database, sqlite3_stmt *statement, char **why);
/* The number in the first row of a query. */
bool database_number(sqlite3 *database, const char *sql, sqlite3_int64 *number, char **why);
char *database_error(sqlite3 *database); /* the last one, allocated */

/* SQLite's own check of the whole file. */
bool database_is_sound(sqlite3 *database, char **why);

#endif
