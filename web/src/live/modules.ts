/* The modules that log (tables/events.h has them too), those of the TechNote's pages first. */
export const SUPPORT_MODULES = [
	"developer.clusterdb.restapi",
	"developer.xcp.cm",
	"developer.xcp.jabber",
	"developer.xcp.federation",
	"developer.edgeconfigprovisioning",
	"XMPPFederation",
	"system.process",
] as const;

export const NETWORK_MODULES = [
	"network.axl",
	"network.dns",
	"network.link",
	"network.attachment",
	"network.admin",
] as const;

export const MODULES: readonly string[] = [...SUPPORT_MODULES, ...NETWORK_MODULES];
