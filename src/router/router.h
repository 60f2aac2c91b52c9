/*
 * The router: a table from domain to port, and nothing that knows a protocol. Everything that
 * carries stanzas is a port; each stanza that enters through one leaves through another, or its
 * sender gets an error.
 *
 * The world is on one side of a node and the users are on the other: ports are SIDE_OUT or
 * SIDE_IN. Whatever a port brings is checked against that, whoever checked it before (design: the
 * receiving node checks again): from SIDE_OUT only senders that are not ours, to domains that we
 * federate; from SIDE_IN the reverse. Nothing ever leaves by the side it came from.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "router/custody.h"
#include "router/histogram.h"
#include "router/watches.h"
#include "policy/policy.h"

struct router;

enum side { SIDE_IN, SIDE_OUT };

struct port {
	const char *name; /* for the log */
	enum side side;
	/* Takes the item into a queue of the port's, and settles it one day. */
	void (*send)(struct port *port, struct item *item);
	/* The fate of what this port brought. NULL: nobody there wants to know. */
	void (*settled)(struct port *port, const char *instance, uint64_t number,
			enum link_fate fate, enum failure failure);
	/* It brings what entered at another node: that one makes the bounce. */
	bool relays;
	/* More waits for it than half of what its queue may hold: who brings should pause. */
	bool congested;
	size_t open; /* the router's: items it brought that are not settled; the port outlives them
		      */
};

enum router_counter {
	ROUTER_TAKEN,
	ROUTER_REPEATED, /* came again after a break, and were known */
	ROUTER_DELIVERED,
	ROUTER_WRITTEN,
	ROUTER_REFUSED,
	ROUTER_UNCERTAIN,
	ROUTER_BOUNCED,
	ROUTER_IN,	  /* came from the world, or were on the way from it */
	ROUTER_OUT,	  /* towards it */
	ROUTER_UNBOUNCED, /* refused or uncertain, and not to be bounced: errors, results */
	ROUTER_COUNTERS,
};
const char *router_counter_name(enum router_counter counter);

/* `instance` of this worker. The policy is lent until replaced. */
struct router *router_create(const char *instance, const struct policy *policy);
void router_destroy(struct router **router);
/* The ports are about to go, one after the other: what is settled from now on is only counted and
 * logged. Nobody is told and nothing is bounced, since whoever would hear it may be gone. */
void router_close(struct router *router);
void router_set_policy(struct router *router, const struct policy *policy);
void router_tell_time(struct router *router, uint64_t now_ms);
/* What is logged of stanzas to and from these is logged whatever the levels; lent. */
void router_set_watches(struct router *router, const struct watches *watches);
/* Whole stanzas to and from these foreign domains are logged, each until its time; lent until
 * replaced. */
struct router_stanza_log {
	const char *domain;
	uint64_t until_ms;
};
void router_set_stanza_logs(struct router *router, const struct router_stanza_log *logs,
			    size_t count);

/* The routes: drop them all, then add those of the new settings. */
void router_clear_routes(struct router *router);
void router_add_route(struct router *router, const char *domain, struct port *port); /* SIDE_IN */
/* Why a stanza is refused that finds no port on that side, until the routes are cleared; otherwise
 * FAILURE_NO_ROUTE. */
void router_set_lack(struct router *router, enum side side, enum failure failure);
enum failure router_lack(const struct router *router, enum side side);
/* Several: the sender's and recipient's domains choose, always the same, so that order holds. */
void router_add_default(struct router *router, enum side side, struct port *port);

/*
 * A stanza came through a port. Takes the stanza. `instance` NULL: it enters here. The fate is
 * told to the port, perhaps from inside this call.
 */
void router_take(struct router *router, struct port *from, const char *instance, uint64_t number,
		 struct stanza **stanza);

/* A stanza that came through a port and cannot be forwarded: settled as refused at once. */
void router_refuse(struct router *router, struct port *from, const char *instance, uint64_t number,
		   struct stanza **stanza, enum failure failure);

/* The port by which stanzas for the domain leave on that side; where the pair decides, one that is
 * congested. NULL: none. */
const struct port *router_port_of(const struct router *router, enum side side, const char *domain);
/* Walks the routes from *place = 0, and the defaults of a side; NULL at the end. */
const struct port *router_next_route(const struct router *router, size_t *place,
				     struct slice *domain);
const struct port *router_next_default(const struct router *router, enum side side, size_t *place);
/* Whether any port on that side is congested. */
bool router_is_congested(const struct router *router, enum side side);

/* Ends an item's stay: remembers, tells who brought it, bounces if it entered here. */
void router_settle(struct router *router, struct item **item, enum link_fate fate,
		   enum failure failure);
/* All of a queue alike. */
void router_settle_all(struct router *router, struct queue *queue, enum link_fate fate,
		       enum failure failure);
/* What was never given is refused with `failure`, what was is uncertain. */
void router_settle_lost(struct router *router, struct queue *queue, enum failure failure);

uint64_t router_count(const struct router *router, enum router_counter counter);
/* Of what was bounced. */
uint64_t router_bounces(const struct router *router, enum failure failure);
/* Of what was delivered or written: from entering this node until the fate was known. */
const struct histogram *router_latency(const struct router *router);
const struct custody *router_custody(const struct router *router);

#endif
