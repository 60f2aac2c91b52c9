/*
 * Questions to the other processes. Each is answered exactly once, later than it was asked and
 * from the loop: with the reply, or with why there is none. An answer that comes too late finds
 * nobody.
 */
#ifndef ADMIN_ASKS_H
#define ADMIN_ASKS_H

#include "net/messenger.h"

struct asks;

struct ask_answer {
	enum process from;
	const char *why; /* there is no reply; completes "control ..." : "does not answer" */
	struct slice body;
};

/* `tag` is the asker's own: a number, so that an asker who is gone is not found. */
typedef void ask_fn(void *arg, uint64_t tag, const struct ask_answer *answer);

struct asks *asks_create(struct loop *loop, ask_fn *answered, void *arg);
void asks_destroy(struct asks **asks); /* what is open stays unanswered */

/* How a process is reached from now on; NULL: not at all, and what is open to it has failed. */
void asks_reach(struct asks *asks, enum process process, struct messenger *messenger);
void asks_send(struct asks *asks, enum process to, enum message_type type, struct slice body,
	       unsigned timeout_ms, uint64_t tag);
/* Each message of a process that may be a reply. */
void asks_take(struct asks *asks, enum process from, const struct message *message);

#endif
