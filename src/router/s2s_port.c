#include "router/s2s_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>

#define RESUME_MS 20

static void send_item(struct port *port, struct item *item)
{
	struct s2s_port *s = (void *)port;
	char local[DOMAIN_BYTES + 1], remote[DOMAIN_BYTES + 1];

	/* The router has prepared both already: they are domains. */
	if (jid_domain(item->stanza->from, local) && jid_domain(item->stanza->to, remote))
		s2s_pair_send(s2s_pair_get(s, local, remote), item);
	else
		router_settle(s->worker->router, &item, LINK_REFUSED, FAILURE_RULE_BROKEN);
}

/* Streams that were paused because their target's queue was long. */
static void on_resume(struct timer *timer)
{
	struct s2s_port *s = (void *)((char *)timer - offsetof(struct s2s_port, resume));
	struct s2s_inbound *in;
	size_t place = 0;

	if (router_is_congested(s->worker->router, SIDE_IN)) {
		loop_arm(s->worker->loop, &s->resume, RESUME_MS);
		return;
	}
	while ((in = map_next(&s->inbound, &place, NULL)))
		s2s_inbound_resume(in);
}

struct s2s_port *s2s_port_create(struct worker *worker)
{
	struct s2s_port *s = xcalloc(1, sizeof(*s));

	s->port = (struct port){ .name = "s2s", .side = SIDE_OUT, .send = send_item };
	s->worker = worker;
	s->attempts = attempts_create();
	s->resume.fire = on_resume;
	return s;
}

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	s2s_inbound_accept(owner, fd, from);
}

void s2s_port_listen(struct s2s_port *s, int fd)
{
	if (s->listeners_count < nitems(s->listeners))
		s->listeners[s->listeners_count++] =
			listener_create(s->worker->loop, fd, on_accepted, s);
}

/* All values of a map at once, so that each may leave it while they are visited. */
static void **values_of(const struct map *map, size_t *count)
{
	void **values = xcalloc(map->count + 1, sizeof(void *)), *value;
	size_t place = 0;

	*count = 0;
	while ((value = map_next(map, &place, NULL)))
		values[(*count)++] = value;
	return values;
}

void s2s_port_note_route(struct s2s_port *s, const char *remote, const char *why)
{
	free(why ? map_put(&s->dead, slice_of(remote), xstrdup(why))
		 : map_remove(&s->dead, slice_of(remote)));
}

/* Those that have no static route any more, or all. */
static void forget_routes(struct s2s_port *s, bool all)
{
	struct slice key;
	size_t place = 0;

	while (map_next(&s->dead, &place, &key)) {
		char *domain = xstrndup(key.data, key.len);

		if (all || !config_has_static_route(s->worker->config, domain))
			s2s_port_note_route(s, domain, NULL);
		free(domain);
	}
}

void s2s_port_destroy(struct s2s_port **port)
{
	struct s2s_port *s = *port;
	void **values;
	size_t count;

	if (!s)
		return;
	*port = NULL;
	for (size_t i = 0; i < s->listeners_count; i++)
		listener_destroy(&s->listeners[i]);
	values = values_of(&s->inbound, &count);
	for (size_t i = 0; i < count; i++)
		s2s_inbound_destroy(values[i]);
	free(values);
	values = values_of(&s->pairs, &count);
	for (size_t i = 0; i < count; i++)
		s2s_pair_destroy(values[i]);
	free(values);
	loop_disarm(s->worker->loop, &s->resume);
	map_finish(&s->inbound);
	map_finish(&s->pairs);
	forget_routes(s, true);
	map_finish(&s->dead);
	map_finish(&s->addresses);
	attempts_destroy(&s->attempts);
	free(s);
}

void s2s_port_apply(struct s2s_port *s)
{
	size_t count;
	void **values = values_of(&s->inbound, &count);

	forget_routes(s, false);
	for (size_t i = 0; i < count; i++)
		s2s_inbound_apply(values[i]);
	free(values);
	values = values_of(&s->pairs, &count);
	for (size_t i = 0; i < count; i++)
		s2s_pair_apply(values[i]);
	free(values);
}

void s2s_port_try(const struct s2s_port *s, const struct config *candidate, struct effects *effects)
{
	const struct s2s_inbound *in;
	const struct s2s_pair *pair;

	for (size_t place = 0; (in = map_next(&s->inbound, &place, NULL));)
		s2s_inbound_try(in, candidate, effects);
	for (size_t place = 0; (pair = map_next(&s->pairs, &place, NULL));)
		s2s_pair_try(pair, candidate, effects);
}

void s2s_port_shut_down(struct s2s_port *s)
{
	size_t count;
	void **values;

	s->stopping = true;
	for (size_t i = 0; i < s->listeners_count; i++)
		listener_destroy(&s->listeners[i]);
	s->listeners_count = 0;
	values = values_of(&s->inbound, &count);
	for (size_t i = 0; i < count; i++)
		s2s_inbound_close(values[i], "system-shutdown", FAILURE_SHUTDOWN);
	free(values);
	values = values_of(&s->pairs, &count);
	for (size_t i = 0; i < count; i++)
		s2s_pair_shut_down(values[i]);
	free(values);
}

bool s2s_port_is_drained(const struct s2s_port *s)
{
	const struct s2s_pair *pair;
	size_t place = 0;

	while ((pair = map_next(&s->pairs, &place, NULL))) {
		if (s2s_pair_is_in_flight(pair))
			return false;
	}
	return true;
}

bool s2s_port_is_quiet(const struct s2s_port *s)
{
	const struct s2s_pair *pair;
	size_t place = 0;

	while ((pair = map_next(&s->pairs, &place, NULL))) {
		if (s2s_pair_has_stream(pair))
			return false;
	}
	return s->inbound.count == 0;
}

struct port *s2s_port_port(struct s2s_port *s)
{
	return &s->port;
}

size_t s2s_port_retry(struct s2s_port *s, const char *remote_domain)
{
	size_t count, concerned = 0;
	void **values = values_of(&s->pairs, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(s2s_pair_remote(values[i]), remote_domain) != 0 ||
		    s2s_pair_is_probe(values[i]))
			continue;
		s2s_pair_retry(values[i]);
		concerned++;
	}
	free(values);
	return concerned;
}

size_t s2s_port_close(struct s2s_port *s, const char *xcoder)
{
	size_t count, concerned = 0;
	void **values = values_of(&s->inbound, &count);

	for (size_t i = 0; i < count; i++) {
		if (s2s_inbound_is(values[i], xcoder)) {
			s2s_inbound_close(values[i], NULL, FAILURE_NONE);
			concerned++;
		}
	}
	free(values);
	values = values_of(&s->pairs, &count);
	for (size_t i = 0; i < count; i++)
		concerned += s2s_pair_close(values[i], xcoder);
	free(values);
	return concerned;
}
