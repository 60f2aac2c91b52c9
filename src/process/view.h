/*
 * What each child sees of the settings: the values whose row names it, and the node's own name,
 * role, pin and user, as a snapshot (ipc/snapshot.h).
 */
#ifndef PROCESS_VIEW_H
#define PROCESS_VIEW_H

#include "base/buffer.h"
#include "process/node.h"

#define VIEW_RESOLV_CONF "/etc/resolv.conf"

unsigned view_bit(enum process process); /* SEEN_BY_... of tables/settings.h */
/* Appends the snapshot's bytes; `resolv_conf` is read where dns.servers names none. */
void view_write(const struct node *node, enum process process, uint64_t generation,
		const char *resolv_conf, struct buffer *out);

#endif
