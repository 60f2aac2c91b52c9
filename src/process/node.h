/*
 * The node itself: its bootstrap file, its store, and who it is towards other nodes. What no
 * operator gives it, it makes at its first start: secrets, and the certificate for its links.
 */
#ifndef PROCESS_NODE_H
#define PROCESS_NODE_H

#include "process/bootstrap.h"
#include "store/identity.h"
#include "store/store.h"

struct node {
	const struct bootstrap *bootstrap; /* lent */
	struct store *store;
	char pin[IDENTITY_PIN_DIGITS + 1]; /* of its own link certificate */
	char ssh_pin[IDENTITY_PIN_DIGITS + 1];
	int lock; /* keeps a second sallyportd from the same data */
};

/* False and *why, which the caller frees. */
bool node_open(struct node *node, const struct bootstrap *bootstrap, char **why);
void node_close(struct node *node);
/* What is wrong with its store, without changing or making anything. */
bool node_verify(const struct bootstrap *bootstrap, char **why);

#endif
