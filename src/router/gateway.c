#include "router/gateway_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define QUIET_POLL_MS 20

struct link_port *gateway_find_link(const struct gateway *g, const char *name)
{
	for (size_t i = 0; i < g->links_count; i++) {
		if (strcmp(link_port_name(g->links[i]), name) == 0)
			return g->links[i];
	}
	return NULL;
}

static struct link_port *find_by_pin(void *arg, const char *pin)
{
	struct gateway *g = arg;

	for (size_t i = 0; i < g->config->nodes_count; i++) {
		if (strcmp(g->config->nodes[i].pin, pin) == 0)
			return gateway_find_link(g, g->config->nodes[i].name);
	}
	return NULL;
}

/* Links and attachments as the settings have them */

static void apply_links(struct gateway *g)
{
	for (size_t i = 0; i < g->links_count; i++)
		link_port_apply(g->links[i],
				config_find_node(g->config, link_port_name(g->links[i])));
	g->links = xrealloc(g->links,
			    (g->links_count + g->config->nodes_count) * sizeof(struct link_port *));
	for (size_t i = 0; i < g->config->nodes_count; i++) {
		const struct config_node *node = &g->config->nodes[i];

		if (!gateway_find_link(g, node->name))
			g->links[g->links_count++] = link_port_create(&g->worker, node);
	}
}

static bool has_attachment(const struct gateway *g, const struct config_attachment *attachment)
{
	for (size_t i = 0; i < g->attachments_count; i++) {
		if (attachment_port_is(g->attachments[i], attachment))
			return true;
	}
	return false;
}

bool gateway_wants(const struct config *config, const struct attachment_port *port)
{
	for (size_t i = 0; i < config->attachments_count; i++) {
		if (attachment_port_is(port, &config->attachments[i]))
			return true;
	}
	return false;
}

static void apply_attachments(struct gateway *g)
{
	for (size_t i = 0; i < g->attachments_count; i++) {
		if (!gateway_wants(g->config, g->attachments[i]))
			attachment_port_remove(g->attachments[i]);
	}
	g->attachments =
		xrealloc(g->attachments, (g->attachments_count + g->config->attachments_count) *
						 sizeof(struct attachment_port *));
	for (size_t i = 0; i < g->config->attachments_count; i++) {
		const struct config_attachment *attachment = &g->config->attachments[i];

		if (!has_attachment(g, attachment))
			g->attachments[g->attachments_count++] =
				attachment_port_create(&g->worker, attachment);
	}
}

/* Ports that nothing leads to any more and nobody waits for. */
static void drop_unused(struct gateway *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->links_count; i++) {
		if (link_port_is_unused(g->links[i]))
			link_port_destroy(&g->links[i]);
		else
			g->links[kept++] = g->links[i];
	}
	g->links_count = kept;
	kept = 0;
	for (size_t i = 0; i < g->attachments_count; i++) {
		if (attachment_port_is_unused(g->attachments[i]))
			attachment_port_destroy(&g->attachments[i]);
		else
			g->attachments[kept++] = g->attachments[i];
	}
	g->attachments_count = kept;
}

/* The order matters: a port that goes answers what it holds, and that may be bounced by any route
 * there is; so ports are freed only when no route leads to them. */
static void plug(struct gateway *g)
{
	apply_links(g);
	apply_attachments(g);
	gateway_load(g, false);
	gateway_set_routes(g);
	drop_unused(g);
}

/* No public record may make us dial ourselves (SEC-21b). */
static void note_own(struct worker *worker, int fd)
{
	struct conn_address *own = &worker->own[worker->own_count];

	if (worker->own_count == WORKER_LISTENERS_MAX)
		return;
	own->len = sizeof(own->storage);
	if (getsockname(fd, (struct sockaddr *)&own->storage, &own->len) == 0)
		worker->own_count++;
}

static void open_listeners(struct gateway *g, const struct startup *startup)
{
	for (size_t i = 0; i < startup->listeners_count; i++) {
		int fd = startup->listeners[i].fd;

		note_own(&g->worker, fd);
		if (strcmp(startup->listeners[i].name, "s2s") == 0) {
			if (!g->s2s)
				g->s2s = s2s_port_create(&g->worker);
			s2s_port_listen(g->s2s, fd);
		} else if (strcmp(startup->listeners[i].name, "link") == 0 &&
			   g->link_listeners_count < nitems(g->link_listeners)) {
			g->link_listeners[g->link_listeners_count++] =
				link_listener_create(&g->worker, fd, find_by_pin, g);
		}
	}
}

/* The end, in steps: what was given to the world and to the users is acknowledged, or the time for
 * that is over; then attachments and links may close, as all that they brought is answered; then
 * the peers' footers are waited for. */

static bool is_drained(const struct gateway *g)
{
	for (size_t i = 0; i < g->attachments_count; i++) {
		if (!attachment_port_is_drained(g->attachments[i]))
			return false;
	}
	return !g->s2s || s2s_port_is_drained(g->s2s);
}

static void close_inside(struct gateway *g)
{
	g->inside_closed = true;
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_shut_down(g->attachments[i]);
	for (size_t i = 0; i < g->links_count; i++)
		link_port_shut_down(g->links[i]);
}

static void on_quiet(struct timer *timer)
{
	struct gateway *g = (void *)((char *)timer - offsetof(struct gateway, quiet));
	bool late = loop_now_ms(g->worker.loop) >= g->stop_by_ms;

	if (g->inside_closed && (late || !g->s2s || s2s_port_is_quiet(g->s2s))) {
		g->done(g->done_arg);
		return;
	}
	if (!g->inside_closed && (late || is_drained(g)))
		close_inside(g);
	loop_arm(g->worker.loop, &g->quiet, QUIET_POLL_MS);
}

static void tell_fault(const struct gateway *g)
{
	if (g->config->fault)
		log_event(EVENT_CONFIG_FAULT, "why=\"%s\"", g->config->fault);
}

struct gateway *gateway_create(struct loop *loop, struct startup *startup, const char **why)
{
	struct config *config = config_create(startup->snapshot, why);
	struct gateway *g;

	if (!config)
		return NULL;
	g = xcalloc(1, sizeof(*g));
	g->config = config;
	g->quiet.fire = on_quiet;
	gateway_watch_links(g);
	g->worker.loop = loop;
	g->worker.config = config;
	worker_random_hex(g->worker.instance, LINK_INSTANCE_LEN, false);
	g->worker.router = router_create(g->worker.instance, config->policy);
	router_tell_time(g->worker.router, loop_now_ms(loop));
	g->worker.dns = dns_create(loop, PROCESS_TRAFFIC, startup->peers[PROCESS_RESOLVER]);
	startup->peers[PROCESS_RESOLVER] = -1;
	open_listeners(g, startup);
	plug(g);
	router_set_watches(g->worker.router, &g->worker.watches);
	gateway_set_stanza_logs(g);
	tell_fault(g);
	return g;
}

bool gateway_apply(struct gateway *g, const struct snapshot *snapshot, const char **why)
{
	struct config *before = g->config, *config;

	if (g->done)
		return true; /* it stops: nothing begins any more */
	config = config_create(snapshot, why);
	if (!config)
		return false;
	if (config_differs_in_log_only(before, config)) {
		config_swap_log(before, config);
		gateway_set_stanza_logs(g);
		config_destroy(&config);
		return true;
	}
	g->config = config;
	g->worker.config = config;
	router_tell_time(g->worker.router, loop_now_ms(g->worker.loop));
	router_set_policy(g->worker.router, config->policy);
	gateway_set_stanza_logs(g);
	plug(g);
	if (g->s2s)
		s2s_port_apply(g->s2s);
	config_destroy(&before);
	tell_fault(g);
	return true;
}

void gateway_destroy(struct gateway **gateway)
{
	struct gateway *g = *gateway;

	if (!g)
		return;
	*gateway = NULL;
	loop_disarm(g->worker.loop, &g->quiet);
	loop_disarm(g->worker.loop, &g->patience);
	loop_disarm(g->worker.loop, &g->watch_over);
	for (size_t i = 0; i < g->link_listeners_count; i++)
		link_listener_destroy(&g->link_listeners[i]);
	router_close(g->worker.router);
	s2s_port_destroy(&g->s2s);
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_destroy(&g->attachments[i]);
	for (size_t i = 0; i < g->links_count; i++)
		link_port_destroy(&g->links[i]);
	loop_undefer(g->worker.loop, &g->worker.links_changed);
	realm_table_finish(&g->loaded);
	router_destroy(&g->worker.router);
	dns_destroy(&g->worker.dns);
	config_destroy(&g->config);
	free(g->links);
	free(g->attachments);
	free(g->stanza_logs);
	free(g);
}

void gateway_set_resolver(struct gateway *g, int fd)
{
	dns_set_resolver(g->worker.dns, fd);
}

void gateway_shut_down(struct gateway *g, void (*done)(void *arg), void *arg)
{
	g->done = done;
	g->done_arg = arg;
	g->stop_by_ms =
		loop_now_ms(g->worker.loop) + g->config->timeout_shutdown_s * UINT64_C(1000);
	for (size_t i = 0; i < g->link_listeners_count; i++)
		link_listener_destroy(&g->link_listeners[i]);
	g->link_listeners_count = 0;
	/* What waits is refused while its bounces have a way out. */
	for (size_t i = 0; i < g->links_count; i++)
		link_port_refuse_waiting(g->links[i], FAILURE_SHUTDOWN);
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_drain(g->attachments[i]);
	if (g->s2s)
		s2s_port_shut_down(g->s2s);
	loop_arm(g->worker.loop, &g->quiet, QUIET_POLL_MS);
}
