#include "axl/tables.h"

#include "base/alloc.h"

#include <openssl/rand.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TABLE "xmpps2snodes"
#define SQL_BYTES 65536	  /* a statement; an insert of ours has 120 */
#define VALUE_BYTES 65536 /* one cell, or what a statement makes of it */
#define STEPS_MAX 200	  /* of STEP_OPCODES each: a tenth of a second, then it is too much */
#define STEP_OPCODES 10000
#define COUNT_MAX 1000	 /* rows of the table */
#define RESULT_MAX 10000 /* rows of an answer */
#define RESULT_BYTES (1 << 20)

/* Informix numbers. */
enum {
	SYNTAX_ERROR = -201,
	NO_SUCH_TABLE = -206,
	NO_SUCH_COLUMN = -217,
	TOO_MUCH = -229,
	DUPLICATE = -239,
	NULL_VALUE = -391,
	NOT_ALLOWED = -272, /* no permission */
};

struct axl_tables {
	sqlite3 *database;
	unsigned steps;	     /* of the statement that runs */
	bool may_write;	     /* that statement */
	bool opened;	     /* our own statements are not judged */
	const char *refused; /* what the authorizer saw */
};

/* What statements may do */

static bool is_allowed_function(const char *name)
{
	static const char *const allowed[] = { "newid", "count",  "upper",  "lower",
					       "trim",	"length", "substr", "coalesce",
					       "max",	"min",	  "like" };

	for (size_t i = 0; name && i < nitems(allowed); i++) {
		if (strcasecmp(allowed[i], name) == 0)
			return true;
	}
	return false;
}

static int refuse(struct axl_tables *tables, const char *what)
{
	tables->refused = what;
	return SQLITE_DENY;
}

static int authorize(void *arg, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	struct axl_tables *tables = arg;

	if (!tables->opened)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return is_allowed_function(second) ? SQLITE_OK : refuse(tables, "this function");
	case SQLITE_READ:
		/* `select count(*)` reads no column: the name is empty then */
		return first && (!*first || strcasecmp(first, TABLE) == 0)
			       ? SQLITE_OK
			       : refuse(tables, "this table");
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		if (!first || strcasecmp(first, TABLE) != 0) /* the schema's, by `drop` */
			return refuse(tables, "this statement");
		return tables->may_write ? SQLITE_OK
					 : refuse(tables, "a change by executeSQLQuery");
	default:
		return refuse(tables, "this statement");
	}
}

static int on_progress(void *arg)
{
	struct axl_tables *tables = arg;

	return ++tables->steps > STEPS_MAX;
}

/* newid() of Informix: a random UUID (RFC 9562 5.4). */
static void new_id(sqlite3_context *context, int count, sqlite3_value **values)
{
	unsigned char b[16];
	char text[37];

	if (RAND_bytes(b, sizeof(b)) != 1)
		abort(); /* a system without randomness */
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	sqlite3_snprintf(sizeof(text), text,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			 b[12], b[13], b[14], b[15]);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void run(struct axl_tables *tables, const char *sql)
{
	tables->opened = false;
	if (sqlite3_exec(tables->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort(); /* in memory, by ourselves: out of it */
	tables->opened = true;
}

static void set_limits(sqlite3 *database)
{
	static const struct {
		int id, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, VALUE_BYTES },	   { SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES },
		{ SQLITE_LIMIT_COLUMN, SOAP_COLUMNS_MAX }, { SQLITE_LIMIT_EXPR_DEPTH, 50 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 3 },	   { SQLITE_LIMIT_VDBE_OP, 25000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 8 },	   { SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200 }, { SQLITE_LIMIT_VARIABLE_NUMBER, 0 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	};

	for (size_t i = 0; i < nitems(limits); i++)
		sqlite3_limit(database, limits[i].id, limits[i].value);
}

struct axl_tables *axl_tables_create(void)
{
	struct axl_tables *tables = xcalloc(1, sizeof(*tables));

	if (sqlite3_open_v2(":memory:", &tables->database,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_MEMORY,
			    NULL) != SQLITE_OK)
		abort(); /* out of memory */
	sqlite3_db_config(tables->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_create_function(tables->database, "newid", 0, SQLITE_UTF8, NULL, new_id, NULL,
				NULL);
	/* Nothing ever goes to a file, and none can be opened in the sandbox. */
	run(tables, "PRAGMA temp_store = memory; PRAGMA journal_mode = memory;"
		    "CREATE TABLE " TABLE "(pkid TEXT PRIMARY KEY NOT NULL, cp_id TEXT NOT NULL)"
		    " WITHOUT ROWID");
	set_limits(tables->database);
	sqlite3_set_authorizer(tables->database, authorize, tables);
	sqlite3_progress_handler(tables->database, STEP_OPCODES, on_progress, tables);
	return tables;
}

void axl_tables_destroy(struct axl_tables **tables)
{
	if (!*tables)
		return;
	sqlite3_close((*tables)->database);
	free(*tables);
	*tables = NULL;
}

void axl_tables_fill(struct axl_tables *tables, const struct axl_row *rows, size_t count)
{
	sqlite3_stmt *insert;

	run(tables, "DELETE FROM " TABLE);
	tables->opened = false;
	/* No place for values in statements of others, so these are made of text; both are checked
	 * words (settings table). */
	for (size_t i = 0; i < count; i++) {
		char *sql = sqlite3_mprintf("INSERT INTO " TABLE " VALUES(%Q, %Q)", rows[i].pkid,
					    rows[i].cp_id);

		if (sqlite3_prepare_v2(tables->database, sql, -1, &insert, NULL) == SQLITE_OK)
			sqlite3_step(insert);
		sqlite3_finalize(insert);
		sqlite3_free(sql);
	}
	tables->opened = true;
}

/* What went wrong, in Informix' numbers */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static int number_of(int code, const char *message)
{
	switch (code) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_UNIQUE:
		return DUPLICATE;
	case SQLITE_CONSTRAINT_NOTNULL:
		return NULL_VALUE;
	case SQLITE_INTERRUPT:
	case SQLITE_TOOBIG:
	case SQLITE_NOMEM:
		return TOO_MUCH;
	default:
		return begins(message, "no such table")	   ? NO_SUCH_TABLE
		       : begins(message, "no such column") ? NO_SUCH_COLUMN
		       : strstr(message, "has no column")  ? NO_SUCH_COLUMN
							   : SYNTAX_ERROR;
	}
}

static bool fail_with(struct axl_fault *fault, int code, char *message)
{
	*fault = (struct axl_fault){ code, message };
	return false;
}

static bool fail(struct axl_tables *tables, struct axl_fault *fault)
{
	int code = sqlite3_extended_errcode(tables->database);
	const char *message = sqlite3_errmsg(tables->database);

	if (tables->refused)
		return fail_with(fault,
				 strcmp(tables->refused, "this table") == 0 ? NO_SUCH_TABLE
									    : NOT_ALLOWED,
				 xasprintf("%s is not allowed here", tables->refused));
	if (code == SQLITE_INTERRUPT)
		return fail_with(fault, TOO_MUCH, xstrdup("the statement takes too long"));
	return fail_with(fault, number_of(code, message), xstrdup(message));
}

static bool is_blank(const char *sql)
{
	return sql[strspn(sql, " \t\r\n;")] == '\0';
}

/* One statement and nothing behind it. NULL: *fault. */
static sqlite3_stmt *prepare(struct axl_tables *tables, const char *sql, bool may_write,
			     struct axl_fault *fault)
{
	sqlite3_stmt *statement = NULL;
	const char *rest = "";

	tables->may_write = may_write;
	tables->refused = NULL;
	tables->steps = 0;
	if (sqlite3_prepare_v2(tables->database, sql, -1, &statement, &rest) != SQLITE_OK) {
		fail(tables, fault);
		return NULL;
	}
	if (statement && is_blank(rest) && !sqlite3_stmt_isexplain(statement))
		return statement;
	sqlite3_finalize(statement);
	fail_with(fault, SYNTAX_ERROR,
		  xstrdup(!statement	   ? "no statement"
			  : is_blank(rest) ? "a statement that only explains"
					   : "more than one statement"));
	return NULL;
}

/* Answers */

static void take_names(sqlite3_stmt *statement, struct axl_rows *rows)
{
	*rows = (struct axl_rows){ .columns = (size_t)sqlite3_column_count(statement) };
	rows->names = xcalloc(rows->columns ? rows->columns : 1, sizeof(char *));
	for (size_t i = 0; i < rows->columns; i++)
		rows->names[i] = xstrdup(sqlite3_column_name(statement, (int)i));
}

/* How many bytes the row has. */
static size_t take_row(sqlite3_stmt *statement, struct axl_rows *rows)
{
	char **cells;
	size_t bytes = 0;

	rows->cells =
		xrealloc(rows->cells, (rows->count + 1) * (rows->columns + 1) * sizeof(char *));
	cells = rows->cells + rows->count * rows->columns;
	for (size_t i = 0; i < rows->columns; i++) {
		const char *text = (const char *)sqlite3_column_text(statement, (int)i);

		cells[i] = text ? xstrdup(text) : NULL;
		bytes += text ? strlen(text) : 0;
	}
	rows->count++;
	return bytes;
}

static bool collect(struct axl_tables *tables, sqlite3_stmt *statement, struct axl_rows *rows,
		    struct axl_fault *fault)
{
	size_t bytes = 0;
	int step = SQLITE_ERROR;

	take_names(statement, rows);
	while (rows->count < RESULT_MAX && bytes < RESULT_BYTES &&
	       (step = sqlite3_step(statement)) == SQLITE_ROW)
		bytes += take_row(statement, rows);
	if (step == SQLITE_DONE)
		return true;
	if (step == SQLITE_ROW)
		fail_with(fault, TOO_MUCH, xstrdup("the answer has too many rows"));
	else
		fail(tables, fault);
	axl_rows_finish(rows);
	return false;
}

bool axl_tables_query(struct axl_tables *tables, const char *sql, struct axl_rows *rows,
		      struct axl_fault *fault)
{
	sqlite3_stmt *statement = prepare(tables, sql, false, fault);
	bool done;

	if (!statement)
		return false;
	done = collect(tables, statement, rows, fault);
	sqlite3_finalize(statement);
	return done;
}

/* All rows as they are now. */
static void read_table(struct axl_tables *tables, struct axl_row **rows, size_t *count)
{
	sqlite3_stmt *statement;

	*rows = xcalloc(COUNT_MAX + 1, sizeof(**rows));
	*count = 0;
	tables->steps = 0;
	tables->opened = false;
	if (sqlite3_prepare_v2(tables->database, "SELECT pkid, cp_id FROM " TABLE, -1, &statement,
			       NULL) != SQLITE_OK)
		abort(); /* by ourselves, in memory */
	while (*count <= COUNT_MAX && sqlite3_step(statement) == SQLITE_ROW) {
		struct axl_row *row = &(*rows)[(*count)++];

		row->pkid = xstrdup((const char *)sqlite3_column_text(statement, 0));
		row->cp_id = xstrdup((const char *)sqlite3_column_text(statement, 1));
		if (*count > COUNT_MAX)
			break;
	}
	sqlite3_finalize(statement);
	tables->opened = true;
}

static bool change(struct axl_tables *tables, const char *sql, struct axl_row **rows, size_t *count,
		   uint64_t *rows_updated, struct axl_fault *fault)
{
	sqlite3_stmt *statement = prepare(tables, sql, true, fault);
	int step;

	if (!statement)
		return false;
	if (sqlite3_stmt_readonly(statement)) {
		sqlite3_finalize(statement);
		return fail_with(fault, SYNTAX_ERROR, xstrdup("this statement changes nothing"));
	}
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		; /* RETURNING */
	if (step != SQLITE_DONE)
		fail(tables, fault);
	*rows_updated = (uint64_t)sqlite3_changes(tables->database);
	sqlite3_finalize(statement);
	if (step != SQLITE_DONE)
		return false;
	read_table(tables, rows, count);
	if (*count <= COUNT_MAX)
		return true;
	axl_rows_free(*rows, *count);
	return fail_with(fault, TOO_MUCH, xasprintf("more than %d rows", COUNT_MAX));
}

bool axl_tables_update(struct axl_tables *tables, const char *sql, struct axl_row **rows,
		       size_t *count, uint64_t *rows_updated, struct axl_fault *fault)
{
	bool done;

	run(tables, "BEGIN");
	done = change(tables, sql, rows, count, rows_updated, fault);
	if (!sqlite3_get_autocommit(tables->database)) /* some errors have rolled back already */
		run(tables, "ROLLBACK");
	return done;
}

void axl_rows_free(struct axl_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].pkid);
		free(rows[i].cp_id);
	}
	free(rows);
}

bool sql_changes(const char *sql)
{
	static const char *const words[] = { "insert", "update", "delete", "replace" };

	sql += strspn(sql, " \t\r\n;");
	for (size_t i = 0; i < nitems(words); i++) {
		if (strncasecmp(sql, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}
