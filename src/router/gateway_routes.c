#include "router/gateway_internal.h"

#include "base/alloc.h"
#include "ipc/wire.h"
#include "policy/realm.h"
#include "tables/events.h"

#include <stdlib.h>

/* The table of realms */

static void log_loaded(const struct gateway *g)
{
	struct buffer rows = { 0 };
	char *text;

	for (size_t i = 0; i < g->loaded.count; i++)
		buffer_printf(&rows, " %s", g->loaded.rows[i]);
	text = buffer_take_text(&rows);
	log_event(EVENT_ROUTER_LOADED, "revision=%llu rows=%zu:%s",
		  (unsigned long long)g->config->revision, g->loaded.count, text);
	free(text);
}

void gateway_load(struct gateway *g, bool restart)
{
	const struct config *config = g->config;

	if (!config->gated || (g->has_loaded && !restart && !config->loads_live))
		return;
	if (g->has_loaded && !restart && realm_table_equals(&g->loaded, &config->stored))
		return;
	g->has_loaded = true;
	realm_table_copy(&g->loaded, &config->stored);
	log_loaded(g);
}

bool gateway_loaded(const struct gateway *g, struct buffer *body)
{
	if (!g->config->gated)
		return false;
	wire_put_u64(body, g->config->revision);
	wire_put_u16(body, (uint16_t)g->loaded.count);
	for (size_t i = 0; i < g->loaded.count; i++)
		wire_put_text(body, g->loaded.rows[i]);
	return true;
}

/* A link that was never told what it reaches is not yet up for the first time: it may reach all. */
static bool reaches(const struct link_port *link, const struct realm_table *table)
{
	const char *realms = link_port_realms(link);
	size_t place = 0;

	return realms ? realm_table_meets(table, realms) : realm_table_next(table, &place) != NULL;
}

static bool leads_out(const struct gateway *g, const struct config_node *node)
{
	return node->role <= g->config->role;
}

bool gateway_reaches(const struct gateway *g, const struct realm_table *table)
{
	for (size_t i = 0; i < g->config->nodes_count; i++) {
		const struct config_node *node = &g->config->nodes[i];

		if (leads_out(g, node) && reaches(gateway_find_link(g, node->name), table))
			return true;
	}
	return false;
}

/* Which edges are reached through us, told to the nodes further in */

/* A link that was lost a moment ago counts, since what waits for it may still leave. */
static bool counts(const struct gateway *g, const struct config_node *node, uint64_t *patience_ms)
{
	*patience_ms = link_port_patience_ms(gateway_find_link(g, node->name));
	return node->role == ROLE_EDGE && config_uses_edge(g->config, node->name) &&
	       (!*patience_ms || *patience_ms > loop_now_ms(g->worker.loop));
}

static char *reachable_realms(struct gateway *g)
{
	struct buffer names = { 0 };
	uint64_t next_ms = 0;

	for (size_t i = 0; i < g->config->nodes_count; i++) {
		char realm[REALM_BYTES + 1];
		uint64_t patience_ms;

		if (!counts(g, &g->config->nodes[i], &patience_ms))
			continue;
		realm_of(g->config->nodes[i].name, realm);
		buffer_printf(&names, "%s%s", buffer_len(&names) ? " " : "", realm);
		if (patience_ms && (!next_ms || patience_ms < next_ms))
			next_ms = patience_ms;
	}
	loop_disarm(g->worker.loop, &g->patience);
	if (next_ms)
		loop_arm(g->worker.loop, &g->patience, next_ms - loop_now_ms(g->worker.loop));
	return buffer_take_text(&names);
}

static void tell_realms(struct gateway *g)
{
	char *names = reachable_realms(g);

	for (size_t i = 0; i < g->links_count; i++) {
		if (link_port_role(g->links[i]) == ROLE_HOME)
			link_port_tell_realms(g->links[i], names);
	}
	free(names);
}

static void on_links_changed(struct loop_task *task)
{
	gateway_set_routes((void *)((char *)task - offsetof(struct gateway, worker.links_changed)));
}

static void on_patience(struct timer *timer)
{
	gateway_set_routes((void *)((char *)timer - offsetof(struct gateway, patience)));
}

void gateway_watch_links(struct gateway *g)
{
	g->worker.links_changed.run = on_links_changed;
	g->patience.fire = on_patience;
}

/* Routes */

static struct port *attachment_for(const struct gateway *g, const char *domain)
{
	struct port *any = NULL;

	for (size_t i = 0; i < g->attachments_count; i++) {
		const char *home = attachment_port_home_domain(g->attachments[i]);

		if (!gateway_wants(g->config, g->attachments[i]))
			continue;
		if (strcmp(home, domain) == 0 || domain_is_below(domain, home))
			return attachment_port_port(g->attachments[i]);
		if (!any)
			any = attachment_port_port(g->attachments[i]);
	}
	return any;
}

static void add_domains(struct gateway *g)
{
	for (size_t i = 0; i < g->config->domains_count; i++) {
		const struct config_domain *domain = &g->config->domains[i];
		struct link_port *link = domain->via ? gateway_find_link(g, domain->via) : NULL;
		struct port *port = link	  ? link_port_port(link)
				    : domain->via ? NULL
						  : attachment_for(g, domain->domain);

		if (port && port->side == SIDE_IN)
			router_add_route(g->worker.router, domain->domain, port);
	}
}

static bool takes_stanzas(const struct gateway *g, const struct config_node *node,
			  const struct link_port *link)
{
	if (!leads_out(g, node))
		return true;
	if (node->role == ROLE_EDGE && !config_uses_edge(g->config, node->name))
		return false;
	return !g->config->gated || reaches(link, &g->loaded);
}

void gateway_set_routes(struct gateway *g)
{
	router_clear_routes(g->worker.router);
	add_domains(g);
	for (size_t i = 0; i < g->config->nodes_count; i++) {
		const struct config_node *node = &g->config->nodes[i];
		struct link_port *link = gateway_find_link(g, node->name);

		if (takes_stanzas(g, node, link))
			router_add_default(g->worker.router, link_port_port(link)->side,
					   link_port_port(link));
	}
	if (g->s2s)
		router_add_default(g->worker.router, SIDE_OUT, s2s_port_port(g->s2s));
	if (g->config->gated)
		router_set_lack(g->worker.router, SIDE_OUT,
				gateway_reaches(g, &g->config->stored) ? FAILURE_RESTART_PENDING
								       : FAILURE_NOT_PROVISIONED);
	tell_realms(g);
}
