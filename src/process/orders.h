/*
 * What manage's own parts (tunnels, AXL) ask of control: verbs of process/configure.h, in the name
 * of whoever caused them. Each is answered exactly once, later than it was sent and from the loop.
 */
#ifndef PROCESS_ORDERS_H
#define PROCESS_ORDERS_H

#include "net/messenger.h"

#define ORDERS_TIMEOUT_MS 10000 /* control may wait for a slow disk */

struct orders;
/* `text` is lent until it returns: control's words, or why there are none. */
typedef void order_fn(void *arg, uint64_t tag, bool done, const char *text);

struct orders *orders_create(struct loop *loop);
void orders_destroy(struct orders **orders); /* what is open stays unanswered */
void orders_reach(struct orders *orders, struct messenger *control);	/* NULL: not at all */
void orders_take(struct orders *orders, const struct message *message); /* each of control's */
/* `words`: verb and arguments, NULL ends them. */
void orders_send(struct orders *orders, const char *author, const char *const *words, uint64_t tag,
		 order_fn *answered, void *arg);

#endif
