#include "axl/wanted.h"

#include "base/alloc.h"
#include "policy/realm.h"

#include <stdlib.h>

static void add(struct text_list *realms, struct slice text)
{
	char *copy = xstrndup(text.data, text.len);

	text_list_add(realms, copy);
	free(copy);
}

/* The fingerprint of the edge's secret; absent: its federation is off, or it has told nothing. */
static struct slice secret_of(const struct snapshot *snapshot, struct slice name)
{
	struct snapshot_record edge;

	for (size_t place = 0; snapshot_each(snapshot, "edges", &place, &edge);) {
		if (slice_equals(edge.fields[1], name) && slice_is(edge.fields[3], "on"))
			return edge.fields[4];
	}
	return (struct slice){ 0 };
}

static void add_realm(struct text_list *realms, struct slice node)
{
	char *name = xstrndup(node.data, node.len), realm[REALM_BYTES + 1];

	realm_of(name, realm);
	text_list_add(realms, realm);
	free(name);
}

void axl_wanted(const struct snapshot *snapshot, struct text_list *realms)
{
	struct slice first = { 0 };
	struct snapshot_record node;

	for (size_t place = 0; snapshot_each(snapshot, "nodes", &place, &node);) {
		struct slice secret = { 0 };

		if (slice_is(node.fields[2], "edge"))
			secret = secret_of(snapshot, node.fields[1]);
		if (!first.data)
			first = secret;
		if (secret.data && slice_equals(secret, first))
			add_realm(realms, node.fields[1]);
	}
}

void axl_written(const struct snapshot *snapshot, struct text_list *realms)
{
	struct snapshot_record record;

	for (size_t place = 0; snapshot_each(snapshot, "axl.realms", &place, &record);)
		add(realms, record.fields[1]);
}
