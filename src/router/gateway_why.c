#include "router/gateway_internal.h"

#include "base/alloc.h"

#include <time.h>
#include <stdlib.h>

#define LOCALS_MAX 100 /* domains of ours that are told about; more are decided alike */

static void add(struct buffer *out, size_t count, const char *const *fields)
{
	struct snapshot_record record = { .count = count };

	for (size_t i = 0; i < count; i++)
		record.fields[i] = slice_of(fields[i]);
	snapshot_add(out, &record);
}

static void add_policy(const struct gateway *g, const char *remote, struct buffer *out)
{
	const struct policy *policy = g->config->policy;
	size_t told = 0;

	for (size_t i = 0; i < g->config->domains_count && told < LOCALS_MAX; i++) {
		const char *local = g->config->domains[i].domain;
		struct policy_decision decision = policy_decide(policy, local, remote);
		bool refused = decision.refused != FAILURE_NONE;

		if (!policy_is_federated(policy, local))
			continue;
		told++;
		add(out, 5,
		    (const char *[]){ "policy", local, refused ? "refused" : "allowed",
				      refused ? failure_name(decision.refused) : "",
				      config_has_static_route(g->config, remote) ? "static"
										 : "dns" });
	}
}

/* How a node without a side to the world would send there, and whom to ask instead. */
static void add_way(const struct gateway *g, struct buffer *out)
{
	static const char *const states[] = { "not-linked", "linked" };
	const struct port *port;
	size_t place = 0;

	while ((port = router_next_default(g->worker.router, SIDE_OUT, &place)))
		add(out, 3, (const char *[]){ "way", port->name, "" });
	if (!place)
		add(out, 3,
		    (const char *[]){ "way", "",
				      failure_name(router_lack(g->worker.router, SIDE_OUT)) });
	for (size_t i = 0; i < g->config->nodes_count; i++) {
		const struct config_node *node = &g->config->nodes[i];
		const struct link_port *link = gateway_find_link(g, node->name);

		if (node->role < g->config->role)
			add(out, 4,
			    (const char *[]){ "ask", node->name, node_role_name(node->role),
					      states[link && link_port_is_open(link)] });
	}
}

void gateway_why_begin(const struct gateway *g, const char *remote, struct buffer *out)
{
	snapshot_begin(out, 0, g->config->revision);
	add(out, 3,
	    (const char *[]){ "node", g->config->node_name, node_role_name(g->config->role) });
	add(out, 3,
	    (const char *[]){ "domain", remote,
			      policy_is_local(g->config->policy, remote) ? "ours" : "foreign" });
	if (g->config->fault)
		add(out, 2, (const char *[]){ "fault", g->config->fault });
	if (g->s2s)
		add_policy(g, remote, out);
	else
		add_way(g, out);
}

/* The settings say when a stanza log ends by the calendar; the router counts by its own clock. */
void gateway_set_stanza_logs(struct gateway *g)
{
	const struct config *config = g->config;
	uint64_t now_ms = loop_now_ms(g->worker.loop);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	g->stanza_logs = xrealloc(g->stanza_logs,
				  (config->stanza_logs_count + 1) * sizeof(g->stanza_logs[0]));
	for (size_t i = 0; i < config->stanza_logs_count; i++) {
		int64_t left_ms =
			(config->stanza_logs[i].until - now.tv_sec) * 1000 - now.tv_nsec / 1000000;

		g->stanza_logs[i] = (struct router_stanza_log){
			config->stanza_logs[i].domain,
			left_ms > 0 ? now_ms + (uint64_t)left_ms : 0,
		};
	}
	router_set_stanza_logs(g->worker.router, g->stanza_logs, config->stanza_logs_count);
}
