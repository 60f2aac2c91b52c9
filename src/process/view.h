/*
 * What each child sees of the settings: the values whose row names it, and the node's own name,
 * role, pin and user, as a snapshot (ipc/snapshot.h).
 */
#ifndef PROCESS_VIEW_H
#define PROCESS_VIEW_H

#include "base/buffer.h"
#include "process/node.h"
#include "process/plan.h"

/* The files of this machine that stand in for settings which are not set. */
struct view_system {
	const char *resolv_conf; /* for dns.servers */
	const char *authorities; /* for tls.trust, PEM */
};
extern const struct view_system view_system; /* Debian's */

unsigned view_bit(enum process process); /* SEEN_BY_... of tables/settings.h */
/* Appends the snapshot's bytes; with a plan, of the settings as it would make them. */
void view_write(const struct node *node, enum process process, uint64_t generation,
		const struct view_system *system, const struct plan *plan, struct buffer *out);

#endif
