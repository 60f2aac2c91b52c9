/* Maintenance > Diagnostics: the diagnostic log, what modules log, and captures. */
import { DiagnosticLog } from "../live/diagnostic_log";
import { Captures } from "../live/captures";
import { LogLevels } from "../live/log_levels";
import { NETWORK_MODULES, SUPPORT_MODULES } from "../live/modules";
import { place, setQuery } from "../router";
import { t } from "../texts";
import { Tabs } from "../ui";

const TABS = ["log", "support", "network", "captures"] as const;
type TabName = (typeof TABS)[number];

export function DiagnosticsPage() {
	const wanted = place.value.query.get("tab");
	const tab: TabName = TABS.find((each) => each === wanted) ?? "log";

	return (
		<Tabs
			label={t("page.diagnostics")}
			tabs={TABS.map((value) => ({ value, label: t(`diag.tab-${value}`) }))}
			value={tab}
			onChange={(value) => setQuery({ tab: value })}
		>
			{tab === "log" && <DiagnosticLog />}
			{tab === "support" && (
				<LogLevels
					key="support"
					modules={SUPPORT_MODULES}
					help={t("diag.support-help")}
				/>
			)}
			{tab === "network" && (
				<LogLevels
					key="network"
					modules={NETWORK_MODULES}
					help={t("diag.network-help")}
				/>
			)}
			{tab === "captures" && <Captures />}
		</Tabs>
	);
}
