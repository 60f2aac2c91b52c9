#include "store/database.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x53616c79 /* "Saly": what file(1) tells it by */
#define SCHEMA_VERSION 2
#define BUSY_MS 5000 /* another process, such as a backup, may hold it for a moment */

/* Since schema 2. AUTOINCREMENT: a number that was told is never another notification's. */
#define NOTIFICATION                                                                               \
	"CREATE TABLE notification(number INTEGER PRIMARY KEY AUTOINCREMENT,"                      \
	"  description TEXT NOT NULL, count INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"

/* An entry of `value` or `change` is the entries of a value, joined (store/store.c). */
static const char schema[] =
	"CREATE TABLE revision(number INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
	"  author TEXT NOT NULL) STRICT;"
	"CREATE TABLE change(revision INTEGER NOT NULL REFERENCES revision(number),"
	"  setting TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,"
	"  PRIMARY KEY(revision, setting)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE value(setting TEXT PRIMARY KEY, entries TEXT NOT NULL,"
	"  revision INTEGER NOT NULL REFERENCES revision(number)) STRICT, WITHOUT "
	"ROWID;" NOTIFICATION;

char *database_error(sqlite3 *database)
{
	return xstrdup(sqlite3_errmsg(database));
}

bool database_run(sqlite3 *database, const char *sql, char **why)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	*why = database_error(database);
	return false;
}

sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, char **why)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
		*why = database_error(database);
	return statement;
}

bool database_finish(sqlite3 *database, sqlite3_stmt *statement, char **why)
{
	bool done = sqlite3_step(statement) == SQLITE_DONE;

	if (!done)
		*why = database_error(database);
	sqlite3_finalize(statement);
	return done;
}

bool database_number(sqlite3 *database, const char *sql, sqlite3_int64 *number, char **why)
{
	sqlite3_stmt *statement = database_prepare(database, sql, why);
	bool found = statement && sqlite3_step(statement) == SQLITE_ROW;

	if (found)
		*number = sqlite3_column_int64(statement, 0);
	else if (statement)
		*why = database_error(database);
	sqlite3_finalize(statement);
	return found;
}

/* Brings the tables to this release's schema, whole or not at all. */
static bool make_schema(sqlite3 *database, const char *tables, char **why)
{
	char *sql = xasprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d;"
			      "PRAGMA user_version = %d; COMMIT;",
			      tables, APPLICATION_ID, SCHEMA_VERSION);
	bool done = database_run(database, sql, why);

	free(sql);
	return done;
}

/* Makes the tables of an empty file and those that an earlier release did not have; a file of a
 * later release, or of something else, is left. */
static bool settle_schema(sqlite3 *database, char **why)
{
	sqlite3_int64 version, application;

	if (!database_number(database, "PRAGMA user_version", &version, why) ||
	    !database_number(database, "PRAGMA application_id", &application, why))
		return false;
	if (version == SCHEMA_VERSION && application == APPLICATION_ID)
		return true;
	if (version == 0 && application == 0)
		return make_schema(database, schema, why);
	if (version == 1 && application == APPLICATION_ID)
		return make_schema(database, NOTIFICATION, why);
	*why = application == APPLICATION_ID
		       ? xasprintf("made by a later release (schema %lld)", version)
		       : xstrdup("not a store of Sallyport");
	return false;
}

/* SQLite makes files as the umask lets it, and gives -wal and -shm the mode of the main file. */
static bool make_private(const char *path, bool create, char **why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
	struct stat st;
	bool done = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    ((st.st_mode & 077) == 0 || fchmod(fd, 0600) == 0);

	if (!done)
		*why = xasprintf("%s", fd >= 0 ? "not a file of ours" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return done;
}

sqlite3 *database_open(const char *path, bool create, char **why)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	sqlite3 *database = NULL;

	if (!make_private(path, create, why))
		return NULL;
	if (sqlite3_open_v2(path, &database, flags, NULL) != SQLITE_OK) {
		*why = database ? database_error(database) : xstrdup("out of memory");
		database_close(&database);
		return NULL;
	}
	sqlite3_busy_timeout(database, BUSY_MS);
	sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (!database_run(database,
			  "PRAGMA trusted_schema = off; PRAGMA foreign_keys = on;"
			  "PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
			  "PRAGMA secure_delete = on;",
			  why) ||
	    !settle_schema(database, why))
		database_close(&database);
	return database;
}

void database_close(sqlite3 **database)
{
	sqlite3_close(*database);
	*database = NULL;
}

bool database_is_sound(sqlite3 *database, char **why)
{
	sqlite3_stmt *statement = database_prepare(database, "PRAGMA quick_check(1)", why);
	const char *verdict;
	bool sound;

	if (!statement)
		return false;
	verdict = sqlite3_step(statement) == SQLITE_ROW
			  ? (const char *)sqlite3_column_text(statement, 0)
			  : sqlite3_errmsg(database);
	sound = verdict && strcmp(verdict, "ok") == 0;
	if (!sound)
		*why = xstrdup(verdict ? verdict : "cannot be checked");
	sqlite3_finalize(statement);
	return sound;
}
