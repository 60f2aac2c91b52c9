/*
 * The listening sockets of the node: bound as the bootstrap file says, or inherited from systemd
 * under the same names (s2s, link, control), which then replace the file's. Control opens them
 * once and serves none: the supervisor hands them to whom they are for.
 */
#ifndef PROCESS_LISTENERS_H
#define PROCESS_LISTENERS_H

#include "process/bootstrap.h"

#define LISTENERS_MAX 32
#define LISTENERS_CONTROL "control" /* the UNIX socket of the command */

struct listeners {
	struct listener_open {
		char *service;
		char *address; /* for people: "192.0.2.1:5269", or the path */
		enum process process;
		int fd; /* -1: somebody took it */
	} list[LISTENERS_MAX];
	size_t count;
};

/* False and *why (allocated): nothing is left open. */
bool listeners_open(struct listeners *listeners, const struct bootstrap *bootstrap, char **why);
int listeners_take(struct listeners *listeners, size_t place); /* the caller closes it */
void listeners_finish(struct listeners *listeners);

#endif
