/* Where on this page an alarm is mended, by its number (tables/alarms.h). Pure. */
import type { Alarm, Role } from "./data";
import { NETWORK_MODULES } from "./modules";

export interface Mending {
	path: string;
	query?: Record<string, string>;
	/* on nodes of these roles only; none: on all */
	roles?: Role[];
}

const PLACES: Record<number, Mending> = {
	25023: { path: "/config/home-servers", roles: ["core"] },
	15021: { path: "/config/im-presence", roles: ["home"] },
	35013: { path: "/config/nodes" },
	35014: { path: "/config/nodes" },
	25019: { path: "/diagnostics", query: { tab: "support" } },
	40068: { path: "/certificates" },
	40069: { path: "/certificates" },
	90001: { path: "/config/nodes" },
	90003: { path: "/config/domains", roles: ["core"] },
	90004: { path: "/config/im-presence", roles: ["home"] },
	90005: { path: "/config/unified", roles: ["edge"] },
	90006: { path: "/config/nodes" },
	90007: { path: "/config/home-servers", roles: ["core"] },
	90008: { path: "/config/static-routes", roles: ["edge"] },
	90009: { path: "/config/static-routes", roles: ["edge"] },
	90010: { path: "/config/settings" },
};

export function mendingOf(alarm: Alarm, role: Role | undefined): Mending | null {
	const place = PLACES[alarm.number];

	if (!place || (place.roles && (role === undefined || !place.roles.includes(role))))
		return null;
	return isNetworkLog(alarm) ? { ...place, query: { tab: "network" } } : place;
}

/* Verbose levels are set back on one of two tabs, by the module that the alarm is about. */
function isNetworkLog(alarm: Alarm): boolean {
	return alarm.number === 25019 && NETWORK_MODULES.some((module) => module === alarm.subject);
}
