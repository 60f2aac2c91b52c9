/*
 * The service's tables as SQL: an in-memory SQLite database with xmpps2snodes(pkid, cp_id), behind
 * an authorizer that lets a statement touch these tables and nothing else (no PRAGMA, ATTACH,
 * schema, file, function beyond a list; no more than one statement; bounded in steps, rows and
 * bytes). newid() gives a fresh UUID, as in Informix. Errors carry Informix numbers: -201 syntax,
 * -206 no such table, -217 no such column, -239 duplicate key, -391 null into a column that takes
 * none, -229 too much.
 */
#ifndef AXL_TABLES_H
#define AXL_TABLES_H

#include "axl/soap.h"

struct axl_tables;
struct axl_tables *axl_tables_create(void);
void axl_tables_destroy(struct axl_tables **tables);

struct axl_row {
	char *pkid, *cp_id;
};
/* Replaces all rows of xmpps2snodes, as control has stored them. */
void axl_tables_fill(struct axl_tables *tables, const struct axl_row *rows, size_t count);

/* False: *fault, the caller's. */
bool axl_tables_query(struct axl_tables *tables, const char *sql, struct axl_rows *rows,
		      struct axl_fault *fault);
/* The rows that would be there after the statement, for control to check and store; the database
 * itself is left as it was. False: *fault. */
bool axl_tables_update(struct axl_tables *tables, const char *sql, struct axl_row **rows,
		       size_t *count, uint64_t *rows_updated, struct axl_fault *fault);
void axl_rows_free(struct axl_row *rows, size_t count);

/* For `sallyport run sql`: either of both, whichever the statement is. */
bool sql_changes(const char *sql);

#endif
