/*
 * Who asks: at the control socket, as the kernel tells of its other end; at the web page, as an
 * account; through a tunnel, as another node of ours. Plain data.
 */
#ifndef ADMIN_VISITOR_H
#define ADMIN_VISITOR_H

#include "ctl/grammar.h"

#include <stdbool.h>

#define VISITOR_NAME_BYTES 80
#define VISITOR_FROM_BYTES 64

struct visitor {
	enum access access;
	bool is_node;		       /* asks only what a row of the grammar lets a core ask */
	char name[VISITOR_NAME_BYTES]; /* in the log and the history: "root", "uid 1000",
					* "anna", "node core-a" */
	char from[VISITOR_FROM_BYTES]; /* "pid 123", an address, "tunnel" */
};

#endif
