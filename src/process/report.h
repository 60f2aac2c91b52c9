/* What control answers to MESSAGE_STATUS: records as in a snapshot, which is not sealed. */
#ifndef PROCESS_REPORT_H
#define PROCESS_REPORT_H

#include "base/buffer.h"
#include "process/listeners.h"
#include "process/node.h"
#include "process/supervise.h"

/* The whole; notices_report adds to it. The records are described in admin/status.h. */
void report_write(struct buffer *out, const struct node *node, const struct supervisor *supervisor,
		  const struct listeners *listeners);
/* The part that follows from the settings of a node of this role (ROLE_...). */
void report_settings(struct buffer *out, const struct store *store, unsigned role);

#endif
