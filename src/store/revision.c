#include "store/revision.h"

#include "base/alloc.h"
#include "store/database.h"
#include "store/record.h"

bool revision_last(sqlite3 *database, uint64_t *revision, char **why)
{
	sqlite3_stmt *statement =
		database_prepare(database, "SELECT coalesce(max(number), 0) FROM revision", why);
	bool found = statement && sqlite3_step(statement) == SQLITE_ROW;

	if (found)
		*revision = (uint64_t)sqlite3_column_int64(statement, 0);
	else if (statement)
		*why = database_error(database);
	sqlite3_finalize(statement);
	return found;
}

bool revision_add(sqlite3 *database, uint64_t revision, int64_t time_s, const char *author,
		  char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database, "INSERT INTO revision(number, time, author) VALUES(?,?,?)", why);

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)revision);
	sqlite3_bind_int64(statement, 2, time_s);
	sqlite3_bind_text(statement, 3, author, -1, SQLITE_STATIC);
	return database_finish(database, statement, why);
}

bool revision_add_change(sqlite3 *database, uint64_t revision, const char *setting,
			 const char *before, const char *after, char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database, "INSERT INTO change(revision, setting, old, new) VALUES(?,?,?,?)", why);

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)revision);
	sqlite3_bind_text(statement, 2, setting, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, before, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, after, -1, SQLITE_STATIC);
	return database_finish(database, statement, why);
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

/* One that was sealed with another key is past knowing, and shown as nothing. */
static void read_value(const struct seal *seal, const struct setting *setting, const char *text,
		       struct setting_value *value)
{
	if (!record_read(seal, setting, text, value))
		*value = (struct setting_value){ 0 };
}

static void read_row(sqlite3_stmt *statement, const struct seal *seal,
		     struct store_past_change *change)
{
	const struct setting *setting;

	change->revision = (uint64_t)sqlite3_column_int64(statement, 0);
	change->time_s = sqlite3_column_int64(statement, 1);
	change->author = xstrdup(text_of(statement, 2));
	change->name = xstrdup(text_of(statement, 3));
	setting = setting_find(change->name);
	read_value(seal, setting, text_of(statement, 4), &change->before);
	read_value(seal, setting, text_of(statement, 5), &change->after);
}

bool revision_read(sqlite3 *database, const struct seal *seal, size_t max,
		   struct store_past_change **changes, size_t *count, char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database,
		"SELECT number, time, author, setting, old, new FROM revision"
		"  JOIN change ON revision = number ORDER BY number DESC, setting LIMIT ?",
		why);
	struct store_past_change *read = xcalloc(max ? max : 1, sizeof(*read));
	size_t used = 0;
	int step = SQLITE_ERROR;

	if (statement) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)max);
		while ((step = sqlite3_step(statement)) == SQLITE_ROW && used < max)
			read_row(statement, seal, &read[used++]);
		if (step != SQLITE_DONE)
			*why = database_error(database);
		sqlite3_finalize(statement);
	}
	if (step != SQLITE_DONE) {
		store_forget(read, used);
		return false;
	}
	*changes = read;
	*count = used;
	return true;
}

bool revision_changed_at(sqlite3 *database, const char *setting, int64_t *time_s, char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database,
		"SELECT time FROM revision JOIN change ON revision = number WHERE setting = ?"
		"  ORDER BY number DESC LIMIT 1",
		why);
	bool found;

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, setting, -1, SQLITE_STATIC);
	found = sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		*time_s = sqlite3_column_int64(statement, 0);
	else
		*why = xasprintf("%s was never changed", setting);
	sqlite3_finalize(statement);
	return found;
}

bool revision_each_since(sqlite3 *database, uint64_t revision,
			 bool (*take)(void *arg, const char *setting, const char *before,
				      char **why),
			 void *arg, char **why)
{
	sqlite3_stmt *statement = database_prepare(
		database,
		"SELECT setting, old FROM change WHERE revision > ? ORDER BY revision DESC", why);
	bool taken = true;
	int step = SQLITE_DONE;

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)revision);
	while (taken && (step = sqlite3_step(statement)) == SQLITE_ROW)
		taken = take(arg, text_of(statement, 0), text_of(statement, 1), why);
	if (taken && step != SQLITE_DONE) {
		*why = database_error(database);
		taken = false;
	}
	sqlite3_finalize(statement);
	return taken;
}
