/* Where on this page an alarm is mended, by its number (tables/alarms.h). Pure. */
import type { Alarm, Role } from "./data";

export interface Mending {
	path: string;
	query?: Record<string, string>;
	/* on nodes of these roles only; none: on all */
	roles?: Role[];
}

const PLACES: Record<number, Mending> = {
	25023: { path: "/config/home-servers", roles: ["core"] },
	25024: { path: "/config/all", query: { search: "listen" } },
	15021: { path: "/config/notifications", roles: ["home"] },
	35013: { path: "/config/nodes" },
	35014: { path: "/config/nodes" },
	25019: { path: "/diagnostics" },
	40068: { path: "/config/certificates" },
	40069: { path: "/config/certificates" },
	90001: { path: "/config/nodes" },
	90003: { path: "/config/domains", roles: ["core"] },
	90004: { path: "/config/notifications", roles: ["home"] },
	90005: { path: "/config/unified", roles: ["edge"] },
	90006: { path: "/config/nodes" },
	90007: { path: "/config/home-servers", roles: ["core"] },
	90008: { path: "/config/unified", roles: ["edge"] },
	90009: { path: "/config/unified", roles: ["edge"] },
	90010: { path: "/config/all" },
};

export function mendingOf(alarm: Alarm, role: Role | undefined): Mending | null {
	const place = PLACES[alarm.number];

	if (!place || (place.roles && (role === undefined || !place.roles.includes(role)))) return null;
	return place;
}
