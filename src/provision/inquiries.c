#include "provision/inquiries.h"

#include "base/alloc.h"
#include "provision/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inquiry {
	struct inquiry *next;
	struct inquiries *inquiries;
	struct timer timer; /* its deadline; due at once when it has failed */
	uint64_t number, tag;
	char node[FORM_NAME_BYTES + 1];
	char why[160];
	tunnels_reply_fn *answered;
	void *arg;
};

struct heard {
	uint64_t number, theirs; /* number 0: free */
	char node[FORM_NAME_BYTES + 1];
};

struct inquiries {
	struct loop *loop;
	struct inquiry *open;
	size_t count;
	struct heard heard[INQUIRIES_HEARD_MAX];
	uint64_t numbers;
};

struct inquiries *inquiries_create(struct loop *loop)
{
	struct inquiries *inquiries = xcalloc(1, sizeof(*inquiries));

	inquiries->loop = loop;
	return inquiries;
}

static void take_out(struct inquiry *inquiry)
{
	struct inquiry **at = &inquiry->inquiries->open;

	while (*at != inquiry)
		at = &(*at)->next;
	*at = inquiry->next;
	inquiry->inquiries->count--;
	loop_disarm(inquiry->inquiries->loop, &inquiry->timer);
}

void inquiries_destroy(struct inquiries **inquiries_ref)
{
	struct inquiries *inquiries = *inquiries_ref;

	if (!inquiries)
		return;
	*inquiries_ref = NULL;
	while (inquiries->open) {
		struct inquiry *inquiry = inquiries->open;

		take_out(inquiry);
		free(inquiry);
	}
	free(inquiries);
}

static void on_timer(struct timer *timer)
{
	struct inquiry *inquiry = (void *)((char *)timer - offsetof(struct inquiry, timer));
	struct tunnels_reply reply = { .node = inquiry->node, .why = inquiry->why };

	take_out(inquiry);
	inquiry->answered(inquiry->arg, inquiry->tag, &reply);
	free(inquiry);
}

/* Ours */

uint64_t inquiries_ask(struct inquiries *inquiries, const char *node, unsigned timeout_ms,
		       uint64_t tag, tunnels_reply_fn *answered, void *arg)
{
	bool full = inquiries->count >= TUNNELS_ASKS_MAX;
	struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

	*inquiry = (struct inquiry){ .next = inquiries->open,
				     .inquiries = inquiries,
				     .timer.fire = on_timer,
				     .number = ++inquiries->numbers,
				     .tag = tag,
				     .answered = answered,
				     .arg = arg };
	snprintf(inquiry->node, sizeof(inquiry->node), "%s", node);
	snprintf(inquiry->why, sizeof(inquiry->why), "%s: %s", node,
		 full ? "too much is asked of other nodes at the same time"
		      : "it did not answer in time");
	inquiries->open = inquiry;
	inquiries->count++;
	loop_arm(inquiries->loop, &inquiry->timer, full ? 0 : timeout_ms);
	return full ? 0 : inquiry->number;
}

static void fail(struct inquiry *inquiry, const char *why)
{
	snprintf(inquiry->why, sizeof(inquiry->why), "%s: %s", inquiry->node, why);
	loop_arm(inquiry->inquiries->loop, &inquiry->timer, 0);
}

static struct inquiry *find(const struct inquiries *inquiries, uint64_t number)
{
	struct inquiry *inquiry = inquiries->open;

	while (inquiry && inquiry->number != number)
		inquiry = inquiry->next;
	return inquiry;
}

void inquiries_fail(struct inquiries *inquiries, uint64_t number, const char *why)
{
	struct inquiry *inquiry = find(inquiries, number);

	if (inquiry)
		fail(inquiry, why);
}

void inquiries_fail_node(struct inquiries *inquiries, const char *node, const char *why)
{
	for (struct inquiry *inquiry = inquiries->open; inquiry; inquiry = inquiry->next) {
		if (strcmp(inquiry->node, node) == 0)
			fail(inquiry, why);
	}
	for (size_t i = 0; i < INQUIRIES_HEARD_MAX; i++) {
		if (strcmp(inquiries->heard[i].node, node) == 0)
			inquiries->heard[i].number = 0;
	}
}

void inquiries_answer(struct inquiries *inquiries, uint64_t number,
		      const struct tunnels_reply *reply)
{
	struct inquiry *inquiry = find(inquiries, number);

	if (!inquiry || strcmp(inquiry->node, reply->node) != 0)
		return;
	take_out(inquiry);
	inquiry->answered(inquiry->arg, inquiry->tag, reply);
	free(inquiry);
}

/* Theirs */

uint64_t inquiries_hear(struct inquiries *inquiries, const char *node, uint64_t theirs)
{
	for (size_t i = 0; i < INQUIRIES_HEARD_MAX; i++) {
		struct heard *heard = &inquiries->heard[i];

		if (heard->number)
			continue;
		heard->number = ++inquiries->numbers;
		heard->theirs = theirs;
		snprintf(heard->node, sizeof(heard->node), "%s", node);
		return heard->number;
	}
	return 0;
}

bool inquiries_close(struct inquiries *inquiries, uint64_t number, const char **node,
		     uint64_t *theirs)
{
	for (size_t i = 0; i < INQUIRIES_HEARD_MAX; i++) {
		struct heard *heard = &inquiries->heard[i];

		if (!number || heard->number != number)
			continue;
		*node = heard->node;
		*theirs = heard->theirs;
		heard->number = 0;
		return true;
	}
	return false;
}
