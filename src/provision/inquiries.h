/*
 * What this node asked of others through the tunnels, and what others asked of it, until it is
 * answered: each question of ours exactly once, from the loop, at the latest when its time is over.
 */
#ifndef PROVISION_INQUIRIES_H
#define PROVISION_INQUIRIES_H

#include "provision/tunnels.h"

#define INQUIRIES_HEARD_MAX 32 /* of all others together; more are refused */

struct inquiries;

struct inquiries *inquiries_create(struct loop *loop);
void inquiries_destroy(struct inquiries **inquiries); /* nobody is answered */

/* Ours to a node. The number for the line; 0: too many wait, and this one is answered so. */
uint64_t inquiries_ask(struct inquiries *inquiries, const char *node, unsigned timeout_ms,
		       uint64_t tag, tunnels_reply_fn *answered, void *arg);
/* It cannot be asked, or its tunnel went down: `why` for people. Later, from the loop. */
void inquiries_fail(struct inquiries *inquiries, uint64_t number, const char *why);
void inquiries_fail_node(struct inquiries *inquiries, const char *node, const char *why);
/* A node's answer. To a number of ours to that node; any other is passed over. */
void inquiries_answer(struct inquiries *inquiries, uint64_t number,
		      const struct tunnels_reply *reply);

/* A node's question; the number to answer it with, 0: it has too many open. */
uint64_t inquiries_hear(struct inquiries *inquiries, const char *node, uint64_t theirs);
/* Whose it was, and their number; false: it is not open any more. Closes it. The name is good until
 * the next call. */
bool inquiries_close(struct inquiries *inquiries, uint64_t number, const char **node,
		     uint64_t *theirs);

#endif
