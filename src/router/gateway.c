#include "router/gateway.h"

#include "base/alloc.h"
#include "router/attachment_port.h"
#include "router/link_port.h"
#include "router/s2s_port.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define QUIET_POLL_MS 20

struct gateway {
	struct worker worker;
	struct config *config;
	struct s2s_port *s2s; /* NULL: this node has no side to the world */
	struct link_listener *link_listeners[8];
	size_t link_listeners_count;
	struct link_port **links;
	size_t links_count;
	struct attachment_port **attachments;
	size_t attachments_count;
	struct timer quiet;
	bool inside_closed; /* as the node stops: attachments and links */
	uint64_t stop_by_ms;
	void (*done)(void *arg);
	void *done_arg;
};

static struct link_port *find_link(const struct gateway *g, const char *name)
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
			return find_link(g, g->config->nodes[i].name);
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

		if (!find_link(g, node->name))
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

static bool is_wanted(const struct gateway *g, const struct attachment_port *port)
{
	for (size_t i = 0; i < g->config->attachments_count; i++) {
		if (attachment_port_is(port, &g->config->attachments[i]))
			return true;
	}
	return false;
}

static void apply_attachments(struct gateway *g)
{
	for (size_t i = 0; i < g->attachments_count; i++) {
		if (!is_wanted(g, g->attachments[i]))
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

/* Realms: a node's name with its dots as hyphens, as the home server's tables have it. */

static void add_realm(struct buffer *names, const char *node)
{
	if (buffer_len(names))
		buffer_append_text(names, " ");
	for (const char *c = node; *c; c++)
		buffer_append(names, *c == '.' ? "-" : c, 1);
}

/* Which edges are reached through us, told to the nodes further in. */
static void on_links_changed(struct loop_task *task)
{
	struct gateway *g = (void *)((char *)task - offsetof(struct gateway, worker.links_changed));
	struct buffer names = { 0 };
	char *text;

	for (size_t i = 0; i < g->links_count; i++) {
		if (link_port_role(g->links[i]) == ROLE_EDGE && link_port_is_open(g->links[i]))
			add_realm(&names, link_port_name(g->links[i]));
	}
	text = buffer_take_text(&names);
	for (size_t i = 0; i < g->links_count; i++) {
		if (link_port_role(g->links[i]) == ROLE_HOME)
			link_port_tell_realms(g->links[i], text);
	}
	free(text);
}

/* Routes */

static struct port *attachment_for(const struct gateway *g, const char *domain)
{
	struct port *any = NULL;

	for (size_t i = 0; i < g->attachments_count; i++) {
		const char *home = attachment_port_home_domain(g->attachments[i]);

		if (!is_wanted(g, g->attachments[i]))
			continue;
		if (strcmp(home, domain) == 0 || domain_is_below(domain, home))
			return attachment_port_port(g->attachments[i]);
		if (!any)
			any = attachment_port_port(g->attachments[i]);
	}
	return any;
}

static void set_routes(struct gateway *g)
{
	router_clear_routes(g->worker.router);
	for (size_t i = 0; i < g->config->domains_count; i++) {
		const struct config_domain *domain = &g->config->domains[i];
		struct link_port *link = domain->via ? find_link(g, domain->via) : NULL;
		struct port *port = link	  ? link_port_port(link)
				    : domain->via ? NULL
						  : attachment_for(g, domain->domain);

		if (port && port->side == SIDE_IN)
			router_add_route(g->worker.router, domain->domain, port);
	}
	for (size_t i = 0; i < g->config->nodes_count; i++) {
		struct link_port *link = find_link(g, g->config->nodes[i].name);

		router_add_default(g->worker.router, link_port_port(link)->side,
				   link_port_port(link));
	}
	if (g->s2s)
		router_add_default(g->worker.router, SIDE_OUT, s2s_port_port(g->s2s));
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
	set_routes(g);
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
	g->worker.links_changed.run = on_links_changed;
	g->worker.loop = loop;
	g->worker.config = config;
	worker_random_hex(g->worker.instance, LINK_INSTANCE_LEN, false);
	g->worker.router = router_create(g->worker.instance, config->policy);
	router_tell_time(g->worker.router, loop_now_ms(loop));
	g->worker.dns = dns_create(loop, PROCESS_TRAFFIC, startup->peers[PROCESS_RESOLVER]);
	startup->peers[PROCESS_RESOLVER] = -1;
	open_listeners(g, startup);
	plug(g);
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
	g->config = config;
	g->worker.config = config;
	router_tell_time(g->worker.router, loop_now_ms(g->worker.loop));
	router_set_policy(g->worker.router, config->policy);
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
	for (size_t i = 0; i < g->link_listeners_count; i++)
		link_listener_destroy(&g->link_listeners[i]);
	router_close(g->worker.router);
	s2s_port_destroy(&g->s2s);
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_destroy(&g->attachments[i]);
	for (size_t i = 0; i < g->links_count; i++)
		link_port_destroy(&g->links[i]);
	loop_undefer(g->worker.loop, &g->worker.links_changed);
	router_destroy(&g->worker.router);
	dns_destroy(&g->worker.dns);
	config_destroy(&g->config);
	free(g->links);
	free(g->attachments);
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

/* What people ask */

static void add_counter(struct buffer *out, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	snapshot_add(out, &(struct snapshot_record){
				  3, { slice_of("counter"), slice_of(name), slice_of(text) } });
}

void gateway_status(struct gateway *g, struct buffer *out)
{
	char name[64];

	snapshot_begin(out, 0, g->config->revision);
	if (g->config->fault)
		snapshot_add_text(out, "fault", g->config->fault);
	for (size_t i = 0; i < g->links_count; i++)
		link_port_status(g->links[i], out);
	for (size_t i = 0; i < g->attachments_count; i++)
		attachment_port_status(g->attachments[i], out);
	if (g->s2s)
		s2s_port_status(g->s2s, out);
	for (enum router_counter c = 0; c < ROUTER_COUNTERS; c++) {
		snprintf(name, sizeof(name), "stanzas.%s", router_counter_name(c));
		add_counter(out, name, router_count(g->worker.router, c));
	}
	add_counter(out, "stanzas.open", custody_open_count(router_custody(g->worker.router)));
}

static bool retry(struct gateway *g, struct slice word, char **answer)
{
	char domain[DOMAIN_BYTES + 1];
	size_t count;

	if (!domain_prepare(word, domain)) {
		*answer = xasprintf("'%.*s' is not a domain", SLICE_ARGS(word));
		return false;
	}
	count = g->s2s ? s2s_port_retry(g->s2s, domain) : 0;
	*answer = count ? xasprintf("%s: trying again now", domain)
			: xasprintf("%s: nothing waits for it here", domain);
	return count > 0;
}

static bool close_stream(struct gateway *g, struct slice word, char **answer)
{
	char *xcoder = xstrndup(word.data, word.len);
	size_t count = g->s2s ? s2s_port_close(g->s2s, xcoder) : 0;

	*answer = count ? xasprintf("stream %s: closing", xcoder)
			: xasprintf("no stream has the xcoder %s", xcoder);
	free(xcoder);
	return count > 0;
}

static bool reset(struct gateway *g, struct slice word, char **answer)
{
	char *name = xstrndup(word.data, word.len);
	struct link_port *link = find_link(g, name);

	if (link)
		link_port_reset(link, "reset by hand");
	*answer = link ? xasprintf("link to %s: reset", name)
		       : xasprintf("no node is called %s here", name);
	free(name);
	return link != NULL;
}

bool gateway_command(struct gateway *g, const struct slice *words, size_t count, char **answer)
{
	static const struct {
		const char *verb;
		bool (*run)(struct gateway *g, struct slice word, char **answer);
	} commands[] = { { "retry", retry }, { "close", close_stream }, { "reset", reset } };

	for (size_t i = 0; i < nitems(commands); i++) {
		if (count == 2 && slice_is(words[0], commands[i].verb))
			return commands[i].run(g, words[1], answer);
	}
	*answer = xstrdup("traffic knows: retry DOMAIN, close XCODER, reset NODE");
	return false;
}
