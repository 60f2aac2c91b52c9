/* What control answers to MESSAGE_STATUS: records as in a snapshot, which is not sealed. */
#ifndef PROCESS_REPORT_H
#define PROCESS_REPORT_H

#include "base/buffer.h"
#include "process/listeners.h"
#include "process/node.h"
#include "process/supervise.h"

/*
 * ("node", name, role, pin), ("revision", number), ("process", name, pid, state, starts, last end)
 * for each that was started, ("listener", service, address) for each.
 */
void report_write(struct buffer *out, const struct node *node, const struct supervisor *supervisor,
		  const struct listeners *listeners);

#endif
