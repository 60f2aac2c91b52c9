/* The node beside the users' server: is dialed by the core. */
#include "process/role.h"
#include "tables/settings.h"

const struct role role_home = {
	.name = "home",
	.bit = ROLE_HOME,
	.services = { { "link", PROCESS_TRAFFIC },
		      { "provision", PROCESS_MANAGE },
		      { "axl", PROCESS_MANAGE },
		      { "admin", PROCESS_MANAGE } },
	.services_count = 4,
};
