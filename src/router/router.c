#include "router/router.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define DEFAULTS_MAX 64 /* links of one side */

struct router {
	char instance[LINK_INSTANCE_LEN + 1];
	struct custody *custody;
	const struct policy *policy;
	struct map routes; /* domain: port */
	struct {
		struct port *ports[DEFAULTS_MAX];
		size_t count;
		enum failure lack;
	} defaults[2];
	bool closed;
	uint64_t now_ms;
	uint64_t counters[ROUTER_COUNTERS], bounces[FAILURE_COUNT];
	struct histogram latency;
	const struct watches *watches;
	const struct router_stanza_log *stanza_logs;
	size_t stanza_logs_count;
};

/* The domains of a stanza's addresses, and where it may not go. */
struct addresses {
	char sender[DOMAIN_BYTES + 1], target[DOMAIN_BYTES + 1];
};

static const char *const counter_names[ROUTER_COUNTERS] = {
	[ROUTER_TAKEN] = "taken",
	[ROUTER_REPEATED] = "repeated",
	[ROUTER_DELIVERED] = "delivered",
	[ROUTER_WRITTEN] = "written",
	[ROUTER_REFUSED] = "refused",
	[ROUTER_UNCERTAIN] = "uncertain",
	[ROUTER_BOUNCED] = "bounced",
	[ROUTER_UNBOUNCED] = "unbounced",
	[ROUTER_IN] = "in",
	[ROUTER_OUT] = "out",
};

static const struct {
	enum event_id event;
	enum router_counter counter;
} fates[] = {
	[LINK_DELIVERED] = { EVENT_STANZA_DELIVERED, ROUTER_DELIVERED },
	[LINK_WRITTEN] = { EVENT_STANZA_WRITTEN, ROUTER_WRITTEN },
	[LINK_REFUSED] = { EVENT_STANZA_REFUSED, ROUTER_REFUSED },
	[LINK_UNCERTAIN] = { EVENT_STANZA_UNCERTAIN, ROUTER_UNCERTAIN },
};

const char *router_counter_name(enum router_counter counter)
{
	return counter_names[counter];
}

struct router *router_create(const char *instance, const struct policy *policy)
{
	struct router *router = xcalloc(1, sizeof(*router));

	memcpy(router->instance, instance, strnlen(instance, LINK_INSTANCE_LEN));
	router->custody = custody_create(instance);
	router->policy = policy;
	router_clear_routes(router);
	return router;
}

void router_destroy(struct router **router_ref)
{
	struct router *router = *router_ref;

	if (!router)
		return;
	*router_ref = NULL;
	custody_destroy(&router->custody);
	map_finish(&router->routes);
	free(router);
}

void router_close(struct router *router)
{
	router->closed = true;
}

void router_set_policy(struct router *router, const struct policy *policy)
{
	router->policy = policy;
}

void router_tell_time(struct router *router, uint64_t now_ms)
{
	router->now_ms = now_ms;
}

void router_clear_routes(struct router *router)
{
	map_finish(&router->routes);
	for (enum side side = SIDE_IN; side <= SIDE_OUT; side++) {
		router->defaults[side].count = 0;
		router->defaults[side].lack = FAILURE_NO_ROUTE;
	}
}

void router_set_lack(struct router *router, enum side side, enum failure failure)
{
	router->defaults[side].lack = failure;
}

enum failure router_lack(const struct router *router, enum side side)
{
	return router->defaults[side].lack;
}

void router_add_route(struct router *router, const char *domain, struct port *port)
{
	map_put(&router->routes, slice_of(domain), port);
}

void router_add_default(struct router *router, enum side side, struct port *port)
{
	if (router->defaults[side].count < DEFAULTS_MAX)
		router->defaults[side].ports[router->defaults[side].count++] = port;
}

void router_set_watches(struct router *router, const struct watches *watches)
{
	router->watches = watches;
}

void router_set_stanza_logs(struct router *router, const struct router_stanza_log *logs,
			    size_t count)
{
	router->stanza_logs = logs;
	router->stanza_logs_count = count;
}

/* FNV-1a: spreads pairs over ports, no more. */
static uint32_t spread(const struct addresses *addresses)
{
	uint32_t hash = 2166136261u;

	for (const char *c = addresses->sender; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (const char *c = addresses->target; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

static struct port *find_port(const struct router *router, enum side side,
			      const struct addresses *addresses)
{
	struct port *port = NULL;

	if (side == SIDE_IN)
		port = map_get(&router->routes, slice_of(addresses->target));
	if (!port && router->defaults[side].count)
		port = router->defaults[side]
			       .ports[spread(addresses) % router->defaults[side].count];
	return port;
}

static bool prepare(const struct stanza *stanza, struct addresses *addresses)
{
	return jid_domain(stanza->from, addresses->sender) &&
	       jid_domain(stanza->to, addresses->target);
}

static void tell(struct port *port, const char *instance, uint64_t number, enum link_fate fate,
		 enum failure failure)
{
	if (port && port->settled)
		port->settled(port, instance, number, fate, failure);
}

static bool is_watched(const struct router *router, const struct stanza *stanza)
{
	struct addresses addresses;

	return router->watches && router->watches->count && prepare(stanza, &addresses) &&
	       (watches_have(router->watches, addresses.sender) ||
		watches_have(router->watches, addresses.target));
}

static void log_fate(const struct router *router, const struct item *item, enum link_fate fate,
		     enum failure failure)
{
	enum event_id event = failure == FAILURE_EXPIRED ? EVENT_STANZA_EXPIRED : fates[fate].event;

	log_watched(is_watched(router, item->stanza), event,
		    "origin=%.8s number=%" PRIu64 " from=%s to=%s via=%s why=%s",
		    origin_instance(item->origin), item->number, log_value(item->stanza->from),
		    log_value(item->stanza->to), item->to ? item->to->name : "-",
		    failure_name(failure));
}

/* People asked for it by name, so the level of the module does not matter. */
static void log_whole(const struct router *router, const struct item *item)
{
	const struct stanza *stanza = item->stanza;
	struct addresses addresses;

	if (!prepare(stanza, &addresses))
		return;
	for (size_t i = 0; i < router->stanza_logs_count; i++) {
		const struct router_stanza_log *log = &router->stanza_logs[i];

		if (log->until_ms <= router->now_ms ||
		    (strcmp(log->domain, addresses.sender) != 0 &&
		     strcmp(log->domain, addresses.target) != 0))
			continue;
		event_write(EVENT_STANZA_LOGGED,
			    "origin=%.8s number=%" PRIu64 " from=%s to=%s bytes=%zu stanza=%.*s",
			    origin_instance(item->origin), item->number, log_value(stanza->from),
			    log_value(stanza->to), stanza->bytes.len, SLICE_ARGS(stanza->bytes));
		return;
	}
}

/* Sends the item on its way, or settles it. */
static void route(struct router *router, struct item *item)
{
	enum side side = item->from && item->from->side == SIDE_IN ? SIDE_OUT : SIDE_IN;
	struct addresses addresses;
	enum failure failure = FAILURE_RULE_BROKEN;
	const char *rule = "an address that is none";
	bool readable = prepare(item->stanza, &addresses);

	if (readable && item->from)
		rule = policy_broken_rule(router->policy, item->from->side == SIDE_IN,
					  addresses.sender, addresses.target, &failure);
	else if (readable)
		rule = NULL; /* a bounce of our own: back to where the sender is */
	if (rule) {
		log_watched(is_watched(router, item->stanza), EVENT_LINK_REFUSED,
			    "port=%s from=%s to=%s why=\"%s\"", item->from ? item->from->name : "-",
			    log_value(item->stanza->from), log_value(item->stanza->to), rule);
		router_settle(router, &item, LINK_REFUSED, failure);
		return;
	}
	if (!item->from)
		side = policy_is_local(router->policy, addresses.target) ? SIDE_IN : SIDE_OUT;
	item->to = find_port(router, side, &addresses);
	if (!item->to) {
		router_settle(router, &item, LINK_REFUSED, router->defaults[side].lack);
		return;
	}
	log_watched(is_watched(router, item->stanza), EVENT_STANZA_ROUTED,
		    "origin=%.8s number=%" PRIu64 " from=%s to=%s port=%s",
		    origin_instance(item->origin), item->number, log_value(item->stanza->from),
		    log_value(item->stanza->to), item->to->name);
	item->to->send(item->to, item);
}

static void enter(struct router *router, struct port *from, struct item *item)
{
	item->from = from;
	if (from)
		from->open++;
	item->taken_ms = router->now_ms;
	router->counters[ROUTER_TAKEN]++;
	if (from)
		router->counters[from->side == SIDE_OUT ? ROUTER_IN : ROUTER_OUT]++;
	if (router->stanza_logs_count)
		log_whole(router, item);
	route(router, item);
}

/* A stanza with an origin of others. False: we had it before, and whoever brings it now hears of
 * its fate, at once or when it has one. */
static bool take(struct router *router, struct port *from, const char *instance, uint64_t number,
		 struct stanza **stanza, struct item **item)
{
	enum link_fate fate = LINK_REFUSED;
	enum failure failure = FAILURE_NONE;

	switch (custody_take(router->custody, instance, number, stanza, item, &fate, &failure)) {
	case CUSTODY_NEW:
		return true;
	case CUSTODY_OPEN:
		if ((*item)->from)
			(*item)->from->open--;
		(*item)->from = from;
		from->open++;
		break;
	case CUSTODY_SETTLED:
		tell(from, instance, number, fate, failure);
		break;
	}
	router->counters[ROUTER_REPEATED]++;
	return false;
}

void router_take(struct router *router, struct port *from, const char *instance, uint64_t number,
		 struct stanza **stanza)
{
	struct item *item;

	if (!instance)
		enter(router, from, custody_enter(router->custody, stanza));
	else if (take(router, from, instance, number, stanza, &item))
		enter(router, from, item);
}

void router_refuse(struct router *router, struct port *from, const char *instance, uint64_t number,
		   struct stanza **stanza, enum failure failure)
{
	struct item *item;

	if (!instance)
		item = custody_enter(router->custody, stanza);
	else if (!take(router, from, instance, number, stanza, &item))
		return;
	item->from = from;
	from->open++;
	router->counters[ROUTER_TAKEN]++;
	router_settle(router, &item, LINK_REFUSED, failure);
}

static const struct port *any_congested(const struct router *router, enum side side)
{
	for (size_t i = 0; i < router->defaults[side].count; i++) {
		if (router->defaults[side].ports[i]->congested)
			return router->defaults[side].ports[i];
	}
	return NULL;
}

const struct port *router_port_of(const struct router *router, enum side side, const char *domain)
{
	const struct port *port =
		side == SIDE_IN ? map_get(&router->routes, slice_of(domain)) : NULL;

	return port ? port : any_congested(router, side);
}

const struct port *router_next_route(const struct router *router, size_t *place,
				     struct slice *domain)
{
	return map_next(&router->routes, place, domain);
}

const struct port *router_next_default(const struct router *router, enum side side, size_t *place)
{
	return *place < router->defaults[side].count ? router->defaults[side].ports[(*place)++]
						     : NULL;
}

bool router_is_congested(const struct router *router, enum side side)
{
	const struct port *port;
	size_t place = 0;

	while (side == SIDE_IN && (port = map_next(&router->routes, &place, NULL))) {
		if (port->congested)
			return true;
	}
	return any_congested(router, side) != NULL;
}

/* The error for the sender, if there may be one. Made before the item is gone, sent after. */
static struct stanza *bounce_of(const struct item *item, enum failure failure)
{
	const struct failure_row *row = &failure_rows[failure];

	if (!stanza_may_bounce(item->stanza))
		return NULL;
	return stanza_bounce(item->stanza, row->type, row->condition, row->text);
}

void router_settle(struct router *router, struct item **item_ref, enum link_fate fate,
		   enum failure failure)
{
	struct item *item = *item_ref;
	bool lost = fate == LINK_REFUSED || fate == LINK_UNCERTAIN;
	struct stanza *bounce = NULL;
	bool entered_here;

	*item_ref = NULL;
	/* Only a refusal has a reason of its own. */
	if (fate != LINK_REFUSED)
		failure = fate == LINK_UNCERTAIN ? FAILURE_UNCERTAIN : FAILURE_NONE;
	router->counters[fates[fate].counter]++;
	log_fate(router, item, fate, failure);
	if (fate == LINK_DELIVERED || fate == LINK_WRITTEN)
		histogram_add(&router->latency, router->now_ms - item->taken_ms);
	if (router->closed) {
		custody_settle(router->custody, &item, fate, failure);
		return;
	}
	entered_here = !item->from || !item->from->relays;
	if (lost && entered_here) {
		bounce = bounce_of(item, failure);
		router->counters[bounce ? ROUTER_BOUNCED : ROUTER_UNBOUNCED]++;
		router->bounces[failure] += bounce != NULL;
		if (bounce)
			log_watched(is_watched(router, item->stanza), EVENT_STANZA_BOUNCED,
				    "from=%s to=%s id=%s why=%s", log_value(item->stanza->from),
				    log_value(item->stanza->to), log_value(item->stanza->id),
				    failure_name(failure));
	}
	if (fate != LINK_REFUSED)
		failure = FAILURE_NONE;
	/* The bounce leaves before the one who keeps the stanza hears that it need not. */
	if (bounce)
		enter(router, NULL, custody_enter(router->custody, &bounce));
	tell(item->from, origin_instance(item->origin), item->number, fate, failure);
	if (item->from)
		item->from->open--;
	custody_settle(router->custody, &item, fate, failure);
}

void router_settle_all(struct router *router, struct queue *queue, enum link_fate fate,
		       enum failure failure)
{
	while (queue->first) {
		struct item *item = queue->first;

		router_settle(router, &item, fate, failure);
	}
}

void router_settle_lost(struct router *router, struct queue *queue, enum failure failure)
{
	while (queue->first) {
		struct item *item = queue->first;

		router_settle(router, &item, item->given ? LINK_UNCERTAIN : LINK_REFUSED, failure);
	}
}

uint64_t router_count(const struct router *router, enum router_counter counter)
{
	return router->counters[counter];
}

uint64_t router_bounces(const struct router *router, enum failure failure)
{
	return router->bounces[failure];
}

const struct histogram *router_latency(const struct router *router)
{
	return &router->latency;
}

const struct custody *router_custody(const struct router *router)
{
	return router->custody;
}
