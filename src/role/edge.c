/* The node in the DMZ: hears the world, and is dialed by the core. */
#include "process/role.h"
#include "tables/settings.h"

const struct role role_edge = {
	.name = "edge",
	.bit = ROLE_EDGE,
	.services = { { "s2s", PROCESS_TRAFFIC },
		      { "link", PROCESS_TRAFFIC },
		      { "provision", PROCESS_MANAGE },
		      { "admin", PROCESS_MANAGE } },
	.services_count = 4,
};
