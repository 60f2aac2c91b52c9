/*
 * One request to the node over its control socket, and the reply. Blocks, with a deadline.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "ctl/protocol.h"

#define CLIENT_TIMEOUT_MS 30000 /* longer than manage waits for any other process */

/* False: *why, freed by the caller. The reply's slices are its json's. */
bool client_ask(const char *path, struct slice request, struct reply *reply, char **why);

#endif
