/*
 * The ports that a diagnostic capture looks at: those that this node listens on and dials, and DNS.
 */
#ifndef PROCESS_DIAG_PORTS_H
#define PROCESS_DIAG_PORTS_H

#include "process/capture_job.h"
#include "process/listeners.h"
#include "process/node.h"

/* `plain`: those too on which stanzas pass in clear, the attachments'. */
void diag_ports(const struct node *node, const struct listeners *listeners, bool plain,
		struct capture_job *job);

#endif
