#include "admin/asks.h"

#include "base/alloc.h"

#include <stdlib.h>

struct ask {
	struct ask *next;
	struct asks *asks;
	struct timer timer; /* its deadline; due at once when it has failed */
	enum process to;
	enum message_type reply;
	uint32_t request;
	uint64_t tag;
	const char *why; /* what is said when the timer fires */
};

struct asks {
	struct loop *loop;
	ask_fn *answered;
	void *arg;
	struct messenger *messengers[PROCESS_COUNT];
	struct ask *open;
};

/* So far, of all: several askers share a messenger, and each knows its own replies. */
static uint32_t requests;

struct asks *asks_create(struct loop *loop, ask_fn *answered, void *arg)
{
	struct asks *asks = xcalloc(1, sizeof(*asks));

	asks->loop = loop;
	asks->answered = answered;
	asks->arg = arg;
	return asks;
}

void asks_destroy(struct asks **asks_ref)
{
	struct asks *asks = *asks_ref;

	if (!asks)
		return;
	*asks_ref = NULL;
	while (asks->open) {
		struct ask *ask = asks->open;

		asks->open = ask->next;
		loop_disarm(asks->loop, &ask->timer);
		free(ask);
	}
	free(asks);
}

/* The one answer. */
static void answer(struct ask *ask, const char *why, struct slice body)
{
	struct asks *asks = ask->asks;
	struct ask_answer given = { ask->to, why, body };
	uint64_t tag = ask->tag;

	for (struct ask **at = &asks->open; *at; at = &(*at)->next) {
		if (*at == ask) {
			*at = ask->next;
			break;
		}
	}
	loop_disarm(asks->loop, &ask->timer);
	free(ask);
	asks->answered(asks->arg, tag, &given);
}

static void on_timer(struct timer *timer)
{
	struct ask *ask = (void *)((char *)timer - offsetof(struct ask, timer));

	answer(ask, ask->why, (struct slice){ 0 });
}

static void fail(struct ask *ask, const char *why)
{
	ask->why = why;
	loop_arm(ask->asks->loop, &ask->timer, 0);
}

void asks_reach(struct asks *asks, enum process process, struct messenger *messenger)
{
	asks->messengers[process] = messenger;
	for (struct ask *ask = asks->open; ask && !messenger; ask = ask->next) {
		if (ask->to == process)
			fail(ask, "has just ended");
	}
}

static enum message_type reply_to(enum message_type type)
{
	return type == MESSAGE_STATUS	? MESSAGE_STATUS_REPLY
	       : type == MESSAGE_CONFIG ? MESSAGE_CONFIG_REPLY
					: MESSAGE_COMMAND_REPLY;
}

void asks_send(struct asks *asks, enum process to, enum message_type type, struct slice body,
	       unsigned timeout_ms, uint64_t tag)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	*ask = (struct ask){
		.next = asks->open,
		.asks = asks,
		.timer.fire = on_timer,
		.to = to,
		.reply = reply_to(type),
		.request = ++requests,
		.tag = tag,
		.why = "does not answer",
	};
	asks->open = ask;
	loop_arm(asks->loop, &ask->timer, timeout_ms);
	if (!asks->messengers[to])
		fail(ask, "is not running");
	else if (!messenger_send(asks->messengers[to], type, ask->request, body, -1))
		fail(ask, "cannot be asked");
}

void asks_take(struct asks *asks, enum process from, const struct message *message)
{
	for (struct ask *ask = asks->open; ask; ask = ask->next) {
		if (ask->to == from && ask->reply == message->type &&
		    ask->request == message->request) {
			answer(ask, NULL, message->body);
			return;
		}
	}
}
