#include "router/gateway_internal.h"

#include "base/alloc.h"
#include "policy/realm.h"

#include <inttypes.h>
#include <stdlib.h>

static void add_counter(struct buffer *out, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	snapshot_add(out, &(struct snapshot_record){
				  3, { slice_of("counter"), slice_of(name), slice_of(text) } });
}

static void add3(struct buffer *out, const char *a, struct slice b, const char *c)
{
	snapshot_add(out, &(struct snapshot_record){ 3, { slice_of(a), b, slice_of(c) } });
}

static bool is_told(const struct gateway *g, const char *realm)
{
	struct realm_table one = { 0 };
	char *cp_id = xasprintf(REALM_COMPONENT ".%s", realm);
	bool told = false;

	realm_table_add(&one, slice_of(cp_id));
	for (size_t i = 0; i < g->links_count && !told; i++) {
		const char *realms = link_port_realms(g->links[i]);

		told = realms && link_port_is_open(g->links[i]) && realm_table_meets(&one, realms);
	}
	realm_table_finish(&one);
	free(cp_id);
	return told;
}

static void add_realm(const struct gateway *g, const char *realm, const char *where,
		      struct buffer *out)
{
	snapshot_add(out, &(struct snapshot_record){
				  4,
				  { slice_of("realm"), slice_of(realm), slice_of(where),
				    slice_of(is_told(g, realm) ? "linked" : "not-linked") } });
}

static void add_realms(const struct gateway *g, struct buffer *out)
{
	const struct realm_table *stored = &g->config->stored;
	const char *realm;

	for (size_t place = 0; (realm = realm_table_next(&g->loaded, &place));)
		add_realm(g, realm, realm_table_has(stored, realm) ? "both" : "loaded", out);
	for (size_t place = 0; (realm = realm_table_next(stored, &place));) {
		if (!realm_table_has(&g->loaded, realm))
			add_realm(g, realm, "stored", out);
	}
}

static void add_routes(const struct gateway *g, struct buffer *out)
{
	static const char *const sides[] = { [SIDE_IN] = "in", [SIDE_OUT] = "out" };
	const struct port *port;
	struct slice domain;

	for (size_t place = 0; (port = router_next_route(g->worker.router, &place, &domain));)
		add3(out, "route", domain, port->name);
	for (enum side side = SIDE_IN; side <= SIDE_OUT; side++) {
		for (size_t place = 0;
		     (port = router_next_default(g->worker.router, side, &place));)
			add3(out, "default", slice_of(sides[side]), port->name);
	}
}

void gateway_status(struct gateway *g, bool brief, struct buffer *out)
{
	char name[64];

	snapshot_begin(out, 0, g->config->revision);
	if (g->config->fault)
		snapshot_add_text(out, "fault", g->config->fault);
	for (size_t i = 0; i < g->links_count; i++)
		link_port_status(g->links[i], out);
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_status(g->attachments[i], out);
	add_realms(g, out);
	add_routes(g, out);
	if (g->s2s)
		s2s_port_status(g->s2s, brief, out);
	for (enum router_counter c = 0; c < ROUTER_COUNTERS; c++) {
		snprintf(name, sizeof(name), "stanzas.%s", router_counter_name(c));
		add_counter(out, name, router_count(g->worker.router, c));
	}
	for (enum failure f = FAILURE_NONE + 1; f < FAILURE_COUNT; f++) {
		snprintf(name, sizeof(name), "bounces.%s", failure_name(f));
		if (router_bounces(g->worker.router, f))
			add_counter(out, name, router_bounces(g->worker.router, f));
	}
	histogram_write(router_latency(g->worker.router), "latency", out);
	add_counter(out, "stanzas.open", custody_open_count(router_custody(g->worker.router)));
}
