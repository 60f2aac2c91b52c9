/*
 * One request to the node over its control socket, and the reply. Blocks, with a deadline.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "ctl/protocol.h"

#define CLIENT_TIMEOUT_MS 45000 /* longer than PROTOCOL_SLOW_MS */
#define CLIENT_PATIENCE_MS 1000 /* a person wonders after so long, and again and again */

/* For one that streams: each piece, lent; there is no deadline between them. */
struct client_pieces {
	bool (*take)(void *arg, const struct reply *piece); /* false: enough of them */
	void *arg;
};

/* `waiting` (or NULL) is told every CLIENT_PATIENCE_MS how long nothing has come yet, in seconds.
 * False: *why, freed by the caller. The reply's slices are its json's. */
bool client_ask(const char *path, struct slice request, void (*waiting)(unsigned seconds),
		const struct client_pieces *pieces, struct reply *reply, char **why);

#endif
