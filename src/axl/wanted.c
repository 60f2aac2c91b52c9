#include "axl/wanted.h"

#include "base/alloc.h"
#include "policy/majority.h"
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

struct edge {
	struct slice node, secret;
};

/* The edges that are on, in the order of `nodes`; the caller's. */
static struct edge *read_edges(const struct snapshot *snapshot, size_t *count)
{
	struct snapshot_record node;
	struct edge *edges = NULL;

	*count = 0;
	for (size_t place = 0; snapshot_each(snapshot, "nodes", &place, &node);) {
		struct slice secret = { 0 };

		if (slice_is(node.fields[2], "edge"))
			secret = secret_of(snapshot, node.fields[1]);
		if (!secret.data)
			continue;
		edges = xrealloc(edges, (*count + 1) * sizeof(*edges));
		edges[(*count)++] = (struct edge){ node.fields[1], secret };
	}
	return edges;
}

void axl_wanted(const struct snapshot *snapshot, struct text_list *realms)
{
	size_t count;
	struct edge *edges = read_edges(snapshot, &count);
	struct slice *secrets = xcalloc(count + 1, sizeof(*secrets)), common;

	for (size_t i = 0; i < count; i++)
		secrets[i] = edges[i].secret;
	common = majority(secrets, count);
	for (size_t i = 0; i < count; i++) {
		if (slice_equals(edges[i].secret, common))
			add_realm(realms, edges[i].node);
	}
	free(secrets);
	free(edges);
}

void axl_written(const struct snapshot *snapshot, struct text_list *realms)
{
	struct snapshot_record record;

	for (size_t place = 0; snapshot_each(snapshot, "axl.realms", &place, &record);)
		add(realms, record.fields[1]);
}
