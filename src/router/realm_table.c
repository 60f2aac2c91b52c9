#include "router/realm_table.h"

#include "base/alloc.h"
#include "policy/realm.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX REALM_COMPONENT "."

void realm_table_add(struct realm_table *table, struct slice cp_id)
{
	table->rows = xrealloc(table->rows, (table->count + 1) * sizeof(table->rows[0]));
	table->rows[table->count++] = xstrndup(cp_id.data, cp_id.len);
}

void realm_table_copy(struct realm_table *to, const struct realm_table *from)
{
	realm_table_finish(to);
	for (size_t i = 0; i < from->count; i++)
		realm_table_add(to, slice_of(from->rows[i]));
}

void realm_table_finish(struct realm_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i]);
	free(table->rows);
	*table = (struct realm_table){ 0 };
}

bool realm_table_equals(const struct realm_table *a, const struct realm_table *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->rows[i], b->rows[i]) != 0)
			return false;
	}
	return true;
}

const char *realm_table_next(const struct realm_table *table, size_t *place)
{
	while (*place < table->count) {
		const char *row = table->rows[(*place)++];

		if (strncmp(row, PREFIX, strlen(PREFIX)) == 0)
			return row + strlen(PREFIX);
	}
	return NULL;
}

static bool has(const struct realm_table *table, const char *name, size_t len)
{
	const char *realm;

	for (size_t place = 0; (realm = realm_table_next(table, &place));) {
		if (strlen(realm) == len && memcmp(realm, name, len) == 0)
			return true;
	}
	return false;
}

bool realm_table_has(const struct realm_table *table, const char *realm)
{
	return has(table, realm, strlen(realm));
}

bool realm_table_meets(const struct realm_table *table, const char *names)
{
	while (*names) {
		size_t len = strcspn(names, " ");

		if (len && has(table, names, len))
			return true;
		names += len + strspn(names + len, " ");
	}
	return false;
}
