/* Every page: where it is, what it is called, and who sees it on which nodes. */
import type { FunctionComponent } from "preact";
import type { Access, Role } from "./api";
import { AlarmsPage } from "./pages/alarms";
import { ChartsPage } from "./pages/charts";
import { DiagnosticsPage } from "./pages/diagnostics";
import { DoctorPage } from "./pages/doctor";
import { DomainsPage } from "./pages/domains";
import { LogPage } from "./pages/log";
import { OverviewPage } from "./pages/overview";
import { StreamsPage } from "./pages/streams";
import { WhyPage } from "./pages/why";
import { matchPath } from "./router";
import type { PlainKey } from "./texts";

export type Group = "status" | "configuration" | "maintenance";

/* What is in the path's `:name` parts. */
export interface PageProps {
	parameters: Record<string, string>;
}

export interface Page {
	path: string;
	title: PlainKey;
	access: Access;
	component: FunctionComponent<PageProps>;
	group?: Group; /* none: not in the menu */
	roles?: Role[]; /* none: all */
}

export const pages: Page[] = [
	{ path: "/", title: "page.overview", access: "view", component: OverviewPage, group: "status" },
	{ path: "/streams", title: "page.streams", access: "view", component: StreamsPage, group: "status" },
	{ path: "/domains", title: "page.domains", access: "view", component: DomainsPage, group: "status" },
	{ path: "/log", title: "page.log", access: "operate", component: LogPage, group: "status" },
	{ path: "/alarms", title: "page.alarms", access: "view", component: AlarmsPage, group: "status" },
	{ path: "/charts", title: "page.charts", access: "view", component: ChartsPage, group: "status" },
	{ path: "/why", title: "page.why", access: "view", component: WhyPage, group: "status" },
	{ path: "/why/:domain", title: "page.why", access: "view", component: WhyPage },
	{ path: "/doctor", title: "page.doctor", access: "operate", component: DoctorPage, group: "maintenance" },
	{
		path: "/diagnostics",
		title: "page.diagnostics",
		access: "operate",
		component: DiagnosticsPage,
		group: "maintenance",
	},
];

export function findPage(path: string): { page: Page; parameters: Record<string, string> } | null {
	for (const page of pages) {
		const parameters = matchPath(page.path, path);
		if (parameters) return { page, parameters };
	}
	return null;
}
