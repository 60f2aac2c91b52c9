/*
 * The bootstrap file: what a node must know before it can open its store. Everything else is a
 * setting. Whatever is wrong is told as `FILE:LINE: what`, and nothing is taken then.
 */
#ifndef PROCESS_BOOTSTRAP_H
#define PROCESS_BOOTSTRAP_H

#include "process/role.h"

#include <stdbool.h>
#include <stdint.h>

#define BOOTSTRAP_LISTENS_MAX 16

struct bootstrap {
	const struct role *role;
	char *name;
	char *data;
	char *key;	      /* file of the key of the store's secrets; NULL: beside the store */
	char *user;	      /* NULL: as ipc/sandbox.h says */
	char *control_socket; /* of the command */
	char *programs;	      /* folder of the children's programs; NULL: beside our own */
	struct bootstrap_listen {
		char *service;
		enum process process; /* which serves it */
		char *address;
		uint16_t port;
	} listens[BOOTSTRAP_LISTENS_MAX];
	size_t listens_count;
};

/* False and *why, which the caller frees; *bootstrap is then untouched. */
bool bootstrap_read(const char *path, struct bootstrap *bootstrap, char **why);
bool bootstrap_address_is_local(const char *address); /* of this machine alone */
void bootstrap_finish(struct bootstrap *bootstrap);

#endif
