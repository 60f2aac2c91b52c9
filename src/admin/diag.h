/*
 * What people ask about diagnostic logs and captures: passes it to control, on a core to all nodes
 * that can be asked, puts the answers together, and saves what came of it, piece by piece. Who may
 * have secrets is decided here; control and the other nodes log what they do in whose name.
 *
 * `diag part WHAT OFFSET` is for cores: data is {"size":N,"base64":"..."}, at most 1 MiB from there
 * on. WHAT: log, capture (the diagnostic log's), config, status, alarms, versions.
 */
#ifndef ADMIN_DIAG_H
#define ADMIN_DIAG_H

#include "admin/desk.h"
#include "provision/tunnels.h"

struct diag;

struct diag_config {
	struct loop *loop;
	struct desk *desk;	 /* lent; the verbs are registered there */
	struct tunnels *tunnels; /* lent */
	const char *release;
	/* Asks control (process/diag_orders.h) in the name of `author`; NULL ends the words.
	 * Answered later, once, by diag_answer with the same tag. */
	void (*ask)(void *arg, uint64_t tag, const char *author, const char *const *words);
	void *arg;
};

struct diag *diag_create(const struct diag_config *config);
void diag_destroy(struct diag **diag);
void diag_apply(struct diag *diag, const struct snapshot *snapshot); /* this node's name */
void diag_answer(struct diag *diag, uint64_t tag, bool done, const char *text);

#endif
