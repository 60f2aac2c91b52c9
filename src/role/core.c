/* The node inside: dials edges and homes, and listens to nobody. */
#include "process/role.h"
#include "tables/settings.h"

const struct role role_core = {
	.name = "core",
	.bit = ROLE_CORE,
};
