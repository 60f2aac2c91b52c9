/*
 * Who asks: the other end of a connection to the control socket, as the kernel tells. Plain data.
 */
#ifndef ADMIN_VISITOR_H
#define ADMIN_VISITOR_H

#include <stdbool.h>
#include <sys/types.h>

struct visitor {
	uid_t uid;
	pid_t pid;
	bool may_change; /* root, or who runs the node; the others may look */
};

#endif
