/*
 * What other settings would do to what is open, gathered port by port and written for people.
 * Engine: no I/O, no clock, no log.
 */
#ifndef ROUTER_EFFECTS_H
#define ROUTER_EFFECTS_H

#include "base/buffer.h"
#include "tables/failures.h"

#define EFFECTS_LINES_MAX 20 /* of streams, and of links and attachments */

struct effects {	/* starts zeroed */
	size_t streams; /* that are open, those that stay too */
	size_t closed, bounced, ports;
	struct buffer closed_lines, port_lines;
};

/* `what`: "stream 34A9B60C8 from remote.example to home.example (in)". */
void effects_close(struct effects *effects, const char *what, enum failure why);
/* `what`: "link to edge-a", "attachment users"; `how`: "dropped", "reconnected". */
void effects_port(struct effects *effects, const char *what, const char *name, const char *how);
/* The text, to be freed; the effects are empty after. `fault`: what keeps the settings from
 * working; NULL: nothing. */
char *effects_text(struct effects *effects, const char *fault);

#endif
