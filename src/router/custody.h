/*
 * Custody: which stanzas this worker has in its hands, and what it remembers of those it had.
 *
 * A stanza entered the gateway somewhere and got an origin there: an instance (a worker, or a
 * home server's module) and a number. Here an origin keeps its open stanzas, and the fates of the
 * settled ones as ranges, so that a stanza sent again after a break is known and its fate can be
 * repeated (design: Custody, rules 1 to 3). No I/O.
 */
#ifndef ROUTER_CUSTODY_H
#define ROUTER_CUSTODY_H

#include "base/map.h"
#include "xmpp/link_session.h"
#include "xmpp/stanza.h"

#define CUSTODY_ORIGINS_MAX 1024 /* remembered; those of dead workers go, longest unused first */
#define CUSTODY_RANGES_MAX 8192	 /* of settled numbers, for each origin; the lowest go first */

struct port;
struct origin;

/* A stanza in our hands. It is in one queue at a time: that of the port it is to leave by. */
struct item {
	struct origin *origin;
	uint64_t number;
	struct stanza *stanza;
	struct port *from, *to; /* from: NULL: made here (a bounce) */
	uint64_t taken_ms;
	size_t cost; /* bytes of memory, for limits */
	struct queue *queue;
	struct item *next, *previous;
	/* the port's own */
	bool given;    /* written towards the next hop at least once */
	uint64_t mark; /* where in the stream it ends, or its number there */
};

struct queue {
	struct item *first, *last;
	size_t count, bytes;
};

void queue_push(struct queue *queue, struct item *item); /* at the end; in no queue before */
void queue_remove(struct item *item);			 /* in no queue: fine */

struct custody;
/* `instance`: our own, LINK_INSTANCE_LEN hex digits: what enters here is numbered under it. */
struct custody *custody_create(const char *instance);
void custody_destroy(struct custody **custody); /* with all items */

/* A stanza that enters here: the next number of our own. Takes the stanza. */
struct item *custody_enter(struct custody *custody, struct stanza **stanza);

enum custody_verdict {
	CUSTODY_NEW,
	CUSTODY_OPEN,	 /* had before, not settled: *item is that one */
	CUSTODY_SETTLED, /* had before: *fate and *failure say what became of it */
};
/* A stanza with an origin of others. Takes the stanza, whatever the verdict. Numbers whose fate
 * had to make room are settled as uncertain; our own, which nobody may send us, as refused. */
enum custody_verdict custody_take(struct custody *custody, const char *instance, uint64_t number,
				  struct stanza **stanza, struct item **item, enum link_fate *fate,
				  enum failure *failure);

/* The open item of that origin and number; NULL: none. */
struct item *custody_find(const struct custody *custody, const char *instance, uint64_t number);

/* Remembers the fate, takes the item out of its queue and frees it with its stanza. */
void custody_settle(struct custody *custody, struct item **item, enum link_fate fate,
		    enum failure failure);

const char *origin_instance(const struct origin *origin);
size_t custody_open_count(const struct custody *custody);

#endif
