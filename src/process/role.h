/*
 * A role is nothing but the list of services that a node of it offers (src/role). Nothing else
 * depends on the role, so the same programs are edge, core and home.
 */
#ifndef PROCESS_ROLE_H
#define PROCESS_ROLE_H

#include "ipc/messages.h"

#include <stddef.h>

#define ROLE_SERVICES_MAX 8

struct role {
	const char *name;
	unsigned bit; /* in the roles of tables/settings.h */
	struct role_service {
		const char *name;     /* of its listening sockets, here and in `listen NAME { }` */
		enum process process; /* which serves it */
	} services[ROLE_SERVICES_MAX];
	size_t services_count;
};

extern const struct role role_edge, role_core, role_home;

#endif
