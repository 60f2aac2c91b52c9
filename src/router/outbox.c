#include "router/outbox.h"

#include <stddef.h>

#define EXPIRY_MS 1000
#define REDIAL_FIRST_MS 200
#define REDIAL_MOST_MS 5000

static const struct queue_limits *limits_of(const struct outbox *o)
{
	return &o->worker->config->link_limits;
}

static void mind_congestion(struct outbox *o)
{
	const struct queue_limits *limits = limits_of(o);

	o->port->congested =
		o->queue.count > limits->stanzas / 2 || o->queue.bytes > limits->bytes / 2;
}

/* What waited too long: the next hop is not there, or the fate does not come back. */
static void expire(struct timer *timer)
{
	struct outbox *o = (void *)((char *)timer - offsetof(struct outbox, expiry));
	uint64_t now = loop_now_ms(o->worker->loop);
	uint64_t limit = limits_of(o)->seconds * UINT64_C(1000);

	while (o->queue.first && o->queue.first->taken_ms + limit <= now) {
		struct item *item = o->queue.first;
		bool open = o->is_open(o);

		if (open && item->given && o->next_settles)
			break;
		router_settle(o->worker->router, &item, item->given ? LINK_UNCERTAIN : LINK_REFUSED,
			      open ? FAILURE_EXPIRED : o->down);
	}
	mind_congestion(o);
	if (o->queue.first)
		loop_arm(o->worker->loop, &o->expiry, EXPIRY_MS);
}

void outbox_init(struct outbox *o)
{
	o->expiry.fire = expire;
}

void outbox_finish(struct outbox *o)
{
	loop_disarm(o->worker->loop, &o->expiry);
	loop_disarm(o->worker->loop, &o->redial);
	outbox_settle_lost(o, o->down);
}

bool outbox_take(struct outbox *o, struct item *item)
{
	const struct queue_limits *limits = limits_of(o);

	if (o->refuses || o->queue.count >= limits->stanzas ||
	    o->queue.bytes + item->cost > limits->bytes) {
		router_settle(o->worker->router, &item, LINK_REFUSED,
			      o->refuses ? o->refuses_for : FAILURE_QUEUE_FULL);
		return false;
	}
	queue_push(&o->queue, item);
	mind_congestion(o);
	if (!timer_is_armed(&o->expiry))
		loop_arm(o->worker->loop, &o->expiry, EXPIRY_MS);
	return true;
}

void outbox_settle(struct outbox *o, struct item **item, enum link_fate fate, enum failure failure)
{
	router_settle(o->worker->router, item, fate, failure);
	mind_congestion(o);
}

void outbox_settle_lost(struct outbox *o, enum failure failure)
{
	router_settle_lost(o->worker->router, &o->queue, failure);
	mind_congestion(o);
}

/* A bounce may join the queue meanwhile, behind all of these: it is neither given nor has it to
 * be looked at. */
static void settle_if(struct outbox *o, bool given, enum link_fate fate, enum failure failure)
{
	for (struct item *item = o->queue.first, *next; item; item = next) {
		next = item->next;
		if (item->given == given)
			router_settle(o->worker->router, &item, fate, failure);
	}
	mind_congestion(o);
}

void outbox_settle_given(struct outbox *o)
{
	settle_if(o, true, LINK_UNCERTAIN, FAILURE_UNCERTAIN);
}

size_t outbox_waiting(const struct outbox *o)
{
	size_t count = 0;

	for (const struct item *item = o->queue.first; item; item = item->next)
		count += !item->given;
	return count;
}

void outbox_refuse_waiting(struct outbox *o, enum failure failure)
{
	settle_if(o, false, LINK_REFUSED, failure);
}

void outbox_close(struct outbox *o, enum failure failure)
{
	o->refuses = failure != FAILURE_NONE;
	o->refuses_for = failure;
}

void outbox_dial_later(struct outbox *o)
{
	o->failures++;
	loop_arm(o->worker->loop, &o->redial,
		 worker_back_off_ms(o->failures, REDIAL_FIRST_MS, REDIAL_MOST_MS));
}
