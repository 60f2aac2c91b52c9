#include "store/value.h"

#include "store/database.h"

bool value_each(sqlite3 *database,
		bool (*take)(void *arg, const char *setting, const char *entries, char **why),
		void *arg, char **why)
{
	sqlite3_stmt *statement =
		database_prepare(database, "SELECT setting, entries FROM value", why);
	bool taken = true;
	int step = SQLITE_DONE;

	if (!statement)
		return false;
	while (taken && (step = sqlite3_step(statement)) == SQLITE_ROW)
		taken = take(arg, (const char *)sqlite3_column_text(statement, 0),
			     (const char *)sqlite3_column_text(statement, 1), why);
	if (taken && step != SQLITE_DONE) {
		*why = database_error(database);
		taken = false;
	}
	sqlite3_finalize(statement);
	return taken;
}

bool value_put(sqlite3 *database, const char *setting, const char *entries, uint64_t revision,
	       char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database, "INSERT OR REPLACE INTO value(setting, entries, revision) VALUES(?,?,?)",
		why);

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, setting, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, entries, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)revision);
	return database_finish(database, statement, why);
}

bool value_remove(sqlite3 *database, const char *setting, char **why)
{
	sqlite3_stmt *statement =
		database_prepare(database, "DELETE FROM value WHERE setting = ?", why);

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, setting, -1, SQLITE_STATIC);
	return database_finish(database, statement, why);
}
