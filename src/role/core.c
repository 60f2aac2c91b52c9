/* The node inside: dials edges and homes, and is heard by people only. */
#include "process/role.h"
#include "tables/settings.h"

const struct role role_core = {
	.name = "core",
	.bit = ROLE_CORE,
	.services = { { "admin", PROCESS_MANAGE } },
	.services_count = 1,
};
