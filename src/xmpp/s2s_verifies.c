#include "xmpp/s2s_verifies.h"

#include "base/alloc.h"

#include <stdlib.h>

struct s2s_verify *s2s_verifies_add(struct s2s_verifies *verifies, const char *id, struct slice key)
{
	size_t id_size = strlen(id) + 1;
	struct s2s_verify *verify = xcalloc(1, sizeof(*verify) + id_size + key.len);
	struct s2s_verify **link = &verifies->first;

	verify->id = memcpy(verify->memory, id, id_size);
	verify->key = (struct slice){ verify->memory + id_size, key.len };
	if (key.len > 0)
		memcpy(verify->memory + id_size, key.data, key.len);
	while (*link)
		link = &(*link)->next;
	*link = verify;
	verifies->count++;
	return verify;
}

struct s2s_verify *s2s_verifies_find(const struct s2s_verifies *verifies, struct slice id)
{
	struct s2s_verify *verify = verifies->first;

	while (verify && !(verify->sent && slice_is(id, verify->id)))
		verify = verify->next;
	return verify;
}

void s2s_verifies_remove(struct s2s_verifies *verifies, struct s2s_verify *verify)
{
	struct s2s_verify **link = &verifies->first;

	while (*link != verify)
		link = &(*link)->next;
	*link = verify->next;
	free(verify);
	verifies->count--;
}

uint64_t s2s_verifies_next_due(const struct s2s_verifies *verifies)
{
	uint64_t due = 0;

	for (const struct s2s_verify *verify = verifies->first; verify; verify = verify->next) {
		if (due == 0 || verify->due_ms < due)
			due = verify->due_ms;
	}
	return due;
}
