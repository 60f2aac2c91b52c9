/*
 * The table xmpps2snodes of a home node: rows "component.realm" (policy/realm.h). The one that is
 * stored comes with the settings, the one that is loaded is what the router works by. Engine: no
 * I/O, no clock, no log.
 */
#ifndef ROUTER_REALM_TABLE_H
#define ROUTER_REALM_TABLE_H

#include "base/slice.h"

#include <stdbool.h>

struct realm_table { /* starts zeroed */
	char **rows; /* cp_id */
	size_t count;
};

void realm_table_add(struct realm_table *table, struct slice cp_id);
void realm_table_copy(struct realm_table *to, const struct realm_table *from);
void realm_table_finish(struct realm_table *table);
bool realm_table_equals(const struct realm_table *a, const struct realm_table *b);

/* Walks the realms, from *place = 0; NULL at the end. Rows of another component name none. */
const char *realm_table_next(const struct realm_table *table, size_t *place);
bool realm_table_has(const struct realm_table *table, const char *realm);
/* Whether one of the names, with a space between each two, is a realm of the table. */
bool realm_table_meets(const struct realm_table *table, const char *names);

#endif
