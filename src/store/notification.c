#include "store/notification.h"

#include "base/alloc.h"
#include "store/database.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <time.h>

bool notification_list(struct store *store, struct notification **list, size_t *count, char **why)
{
	sqlite3 *database = store_database(store);
	sqlite3_stmt *statement = database_prepare(
		database, "SELECT number, description, count, created FROM notification ORDER BY 1",
		why);
	struct notification *found = NULL;
	size_t number = 0;
	int step = SQLITE_ERROR;

	while (statement && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		found = xrealloc(found, (number + 1) * sizeof(*found));
		found[number++] = (struct notification){
			.number = sqlite3_column_int64(statement, 0),
			.description = xstrdup((const char *)sqlite3_column_text(statement, 1)),
			.count = sqlite3_column_int64(statement, 2),
			.created_s = sqlite3_column_int64(statement, 3),
		};
	}
	if (statement && step != SQLITE_DONE)
		*why = database_error(database);
	sqlite3_finalize(statement);
	if (step != SQLITE_DONE) {
		notification_forget(found, number);
		return false;
	}
	*list = found;
	*count = number;
	return true;
}

void notification_forget(struct notification *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].description);
	free(list);
}

bool notification_add(struct store *store, const char *description, char **why)
{
	sqlite3 *database = store_database(store);
	sqlite3_stmt *statement = database_prepare(
		database, "INSERT INTO notification(description, count, created) VALUES(?,1,?)",
		why);

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, description, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)time(NULL));
	return database_finish(database, statement, why);
}

static bool run_on(struct store *store, const char *sql, int64_t number, char **why)
{
	sqlite3 *database = store_database(store);
	sqlite3_stmt *statement = database_prepare(database, sql, why);

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, number);
	return database_finish(database, statement, why);
}

bool notification_count_up(struct store *store, int64_t number, char **why)
{
	return run_on(store, "UPDATE notification SET count = count + 1 WHERE number = ?", number,
		      why);
}

bool notification_delete(struct store *store, int64_t number, bool *found, char **why)
{
	if (!run_on(store, "DELETE FROM notification WHERE number = ?", number, why))
		return false;
	*found = sqlite3_changes(store_database(store)) > 0;
	return true;
}
