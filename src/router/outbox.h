/*
 * What a link and an attachment have in common: one queue of what is not settled, given to the
 * next hop or still waiting, in the order in which it is sent; its limits in stanzas, bytes and
 * seconds; and the wait before the next hop is dialled again.
 */
#ifndef ROUTER_OUTBOX_H
#define ROUTER_OUTBOX_H

#include "router/worker.h"

struct outbox {
	struct worker *worker;
	struct port *port; /* whose `congested` it minds */
	bool (*is_open)(const struct outbox *outbox);
	enum failure down; /* why what waits is refused while the next hop is not there */
	/* The next hop is a node of ours: what the open connection carries is settled by whoever
	 * has it, however long that takes. */
	bool next_settles;
	bool refuses; /* takes nothing any more, because of `refuses_for` */
	enum failure refuses_for;
	struct queue queue;
	struct timer expiry, redial; /* redial.fire: the owner's */
	unsigned failures;	     /* of dialling, in a row */
};

/* The owner has filled in the first fields and redial.fire; the rest is zero. */
void outbox_init(struct outbox *outbox);
/* What it holds is settled as lost. */
void outbox_finish(struct outbox *outbox);

/* False: no room, or nothing is taken any more; the item is settled. */
bool outbox_take(struct outbox *outbox, struct item *item);
void outbox_settle(struct outbox *outbox, struct item **item, enum link_fate fate,
		   enum failure failure);
/* What was given to the next hop is uncertain, for what waits see `failure`. */
void outbox_settle_lost(struct outbox *outbox, enum failure failure);
void outbox_settle_given(struct outbox *outbox);			 /* uncertain */
size_t outbox_waiting(const struct outbox *outbox);			 /* what was never given */
void outbox_refuse_waiting(struct outbox *outbox, enum failure failure); /* what was never given */
/* From now on what comes is refused for that reason; NONE: taken again. */
void outbox_close(struct outbox *outbox, enum failure failure);

void outbox_dial_later(struct outbox *outbox);

#endif
