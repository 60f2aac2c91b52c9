/* Every page: where it is, what it is called, and who sees it on which nodes. */
import type { FunctionComponent } from "preact";
import type { Access, Role } from "./api";
import { AccountsPage } from "./pages/accounts";
import { AlarmsPage } from "./pages/alarms";
import { CertificatesPage } from "./pages/certificates";
import { ChartsPage } from "./pages/charts";
import { DiagnosticsPage } from "./pages/diagnostics";
import { DoctorPage } from "./pages/doctor";
import { DomainsPage } from "./pages/domains";
import { HistoryPage } from "./pages/history";
import { HomeServersPage } from "./pages/home_servers";
import { ImPresencePage } from "./pages/im_presence";
import { AllowListPage, DenyListPage, StaticRoutesPage } from "./pages/lists";
import { LogPage } from "./pages/log";
import { NodesPage } from "./pages/nodes";
import { OverviewPage } from "./pages/overview";
import { OwnDomainsPage } from "./pages/own_domains";
import { SettingsPage } from "./pages/settings";
import { StreamsPage } from "./pages/streams";
import { UnifiedPage } from "./pages/unified";
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
	{
		path: "/",
		title: "page.overview",
		access: "view",
		component: OverviewPage,
		group: "status",
	},
	{
		path: "/streams",
		title: "page.streams",
		access: "view",
		component: StreamsPage,
		group: "status",
	},
	{
		path: "/domains",
		title: "page.domains",
		access: "view",
		component: DomainsPage,
		group: "status",
	},
	{ path: "/log", title: "page.log", access: "operate", component: LogPage, group: "status" },
	{
		path: "/alarms",
		title: "page.alarms",
		access: "view",
		component: AlarmsPage,
		group: "status",
	},
	{
		path: "/charts",
		title: "page.charts",
		access: "view",
		component: ChartsPage,
		group: "status",
	},
	{ path: "/why", title: "page.why", access: "view", component: WhyPage, group: "status" },
	{ path: "/why/:domain", title: "page.why", access: "view", component: WhyPage },
	{
		path: "/doctor",
		title: "page.doctor",
		access: "operate",
		component: DoctorPage,
		group: "maintenance",
	},
	{
		path: "/diagnostics",
		title: "page.diagnostics",
		access: "operate",
		component: DiagnosticsPage,
		group: "maintenance",
	},
	{
		path: "/config/unified",
		title: "page.unified",
		access: "operate",
		component: UnifiedPage,
		group: "configuration",
		roles: ["edge"],
	},
	{
		path: "/config/static-routes",
		title: "page.static-routes",
		access: "operate",
		component: StaticRoutesPage,
		group: "configuration",
		roles: ["edge"],
	},
	{
		path: "/config/allow-list",
		title: "page.allow-list",
		access: "operate",
		component: AllowListPage,
		group: "configuration",
		roles: ["edge"],
	},
	{
		path: "/config/deny-list",
		title: "page.deny-list",
		access: "operate",
		component: DenyListPage,
		group: "configuration",
		roles: ["edge"],
	},
	{
		path: "/config/domains",
		title: "page.own-domains",
		access: "operate",
		component: OwnDomainsPage,
		group: "configuration",
		roles: ["core"],
	},
	{
		path: "/config/home-servers",
		title: "page.home-servers",
		access: "operate",
		component: HomeServersPage,
		group: "configuration",
		roles: ["core"],
	},
	{
		path: "/config/im-presence",
		title: "page.im-presence",
		access: "view",
		component: ImPresencePage,
		group: "configuration",
		roles: ["home"],
	},
	{
		path: "/config/nodes",
		title: "page.nodes",
		access: "operate",
		component: NodesPage,
		group: "configuration",
	},
	{
		path: "/config/settings",
		title: "page.settings",
		access: "operate",
		component: SettingsPage,
		group: "configuration",
	},
	{
		path: "/config/history",
		title: "page.history",
		access: "operate",
		component: HistoryPage,
		group: "configuration",
	},
	{
		path: "/certificates",
		title: "page.certificates",
		access: "view",
		component: CertificatesPage,
		group: "maintenance",
	},
	{
		path: "/accounts",
		title: "page.accounts",
		access: "admin",
		component: AccountsPage,
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
