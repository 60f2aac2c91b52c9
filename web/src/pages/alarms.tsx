/* What somebody has to do something about, here and on the nodes that told us. */
import { useEffect } from "preact/hooks";
import { alarms as liveAlarms, status as liveStatus } from "../live";
import { AlarmCard } from "../live/alarm_card";
import { severityRank, type Alarm } from "../live/data";
import { useLoad } from "../load";
import { place } from "../router";
import { t } from "../texts";
import { EmptyState, Failure, Loading, Section } from "../ui";

function inOrder(alarms: Alarm[]): Alarm[] {
	return [...alarms].sort(
		(a, b) =>
			severityRank(b.severity) - severityRank(a.severity) || a.number - b.number,
	);
}

export function AlarmsPage() {
	const first = useLoad<{ alarms: Alarm[] }>("alarms");
	const alarms = liveAlarms.value ?? first.data?.alarms;
	const others = Object.entries(liveStatus.value?.others ?? {}).filter(
		([, other]) => (other.alarms ?? []).length > 0,
	);
	const marked = place.value.query.get("number");
	const markedNode = place.value.query.get("node");

	useEffect(() => {
		document.querySelector(".alarm.marked")?.scrollIntoView({ block: "center" });
	}, [marked, alarms !== undefined]);

	if (!alarms)
		return first.error ? (
			<Failure error={first.error} retry={first.reload} />
		) : (
			<Loading />
		);
	const own = liveStatus.value?.node.name;
	const isMarked = (alarm: Alarm, node: string | undefined) =>
		String(alarm.number) === marked && (markedNode === null || markedNode === node);
	return (
		<>
			<p class="muted" role="status">
				{alarms.length === 0
					? t("alarms.none")
					: alarms.length === 1
						? t("alarms.one")
						: t("alarms.count", { count: alarms.length })}
			</p>
			{alarms.length === 0 && others.length === 0 && (
				<EmptyState title={t("alarms.none")}>
					<p>{t("alarms.none-more")}</p>
				</EmptyState>
			)}
			{inOrder(alarms).map((alarm) => (
				<AlarmCard
					key={`${alarm.number} ${alarm.subject}`}
					alarm={alarm}
					marked={isMarked(alarm, own)}
				/>
			))}
			{others.map(([node, other]) => (
				<Section key={node} title={t("alarms.told-by", { node })}>
					{inOrder(other.alarms ?? []).map((alarm) => (
						<AlarmCard
							key={`${alarm.number} ${alarm.subject}`}
							alarm={alarm}
							node={node}
							marked={isMarked(alarm, node)}
						/>
					))}
				</Section>
			))}
		</>
	);
}
