/* Stanzas, bounces, latency and streams over the last minutes or hours, as curves and as a table. */
import { useState } from "preact/hooks";
import { Chart, type Curve } from "../live/chart";
import type { SeriesData, SeriesName } from "../live/data";
import { whole } from "../live/figures";
import { RANGES, columnsOf, latest, tableOf, type Range } from "../live/series";
import { useLoad } from "../load";
import { language } from "../preferences";
import { place, setQuery } from "../router";
import { t, type PlainKey } from "../texts";
import { Button, Failure, Loading, Section, Table, type Column } from "../ui";

interface Shown {
	name: SeriesName;
	label: PlainKey;
	colour: string;
	dashed?: boolean;
}

interface Panel {
	title: PlainKey;
	unit: PlainKey | null;
	curves: Shown[];
}

const PANELS: Panel[] = [
	{
		title: "chart.stanzas",
		unit: null,
		curves: [
			{ name: "stanzas_in", label: "series.stanzas_in", colour: "--chart-1" },
			{
				name: "stanzas_out",
				label: "series.stanzas_out",
				colour: "--chart-2",
				dashed: true,
			},
		],
	},
	{
		title: "chart.bounces",
		unit: null,
		curves: [{ name: "bounces", label: "series.bounces", colour: "--chart-3" }],
	},
	{
		title: "chart.latency",
		unit: "unit.ms",
		curves: [
			{
				name: "latency_p50_ms",
				label: "series.latency_p50_ms",
				colour: "--chart-1",
			},
			{
				name: "latency_p99_ms",
				label: "series.latency_p99_ms",
				colour: "--chart-3",
				dashed: true,
			},
		],
	},
	{
		title: "chart.streams",
		unit: null,
		curves: [
			{ name: "streams", label: "series.streams", colour: "--chart-2" },
			{
				name: "waiting",
				label: "series.waiting",
				colour: "--chart-3",
				dashed: true,
			},
		],
	},
];

const TABLE_ROWS = 30;

function rangeOf(text: string | null): Range {
	return RANGES.find((range) => String(range) === text) ?? 60;
}

export function ChartsPage() {
	const range = rangeOf(place.value.query.get("minutes"));
	const [asTable, setAsTable] = useState(false);
	const loaded = useLoad<SeriesData>(`series?minutes=${range}`, 10);
	const { data } = loaded;

	return (
		<>
			<div class="chart-tools">
				<div class="segments" role="group" aria-label={t("chart.range")}>
					{RANGES.map((each) => (
						<button
							type="button"
							aria-pressed={each === range}
							onClick={() =>
								setQuery({ minutes: String(each) })
							}
						>
							{t(`range.${each}`)}
						</button>
					))}
				</div>
				<Button onClick={() => setAsTable(!asTable)}>
					{asTable ? t("chart.as-curves") : t("chart.as-table")}
				</Button>
			</div>
			{loaded.error && <Failure error={loaded.error} retry={loaded.reload} />}
			{!data && !loaded.error && <Loading />}
			{data && asTable && <Figures data={data} />}
			{data && !asTable && (
				<div class="columns charts">
					{PANELS.map((panel) => (
						<PanelSection
							key={panel.title}
							panel={panel}
							data={data}
						/>
					))}
				</div>
			)}
		</>
	);
}

function figure(value: number | null): string {
	return value === null ? "–" : whole(value, language.value);
}

function PanelSection({ panel, data }: { panel: Panel; data: SeriesData }) {
	const names = panel.curves.map((curve) => curve.name);
	const { times, columns } = columnsOf(data, names);
	const curves: Curve[] = panel.curves.map((curve, i) => ({
		label: t(curve.label),
		colour: curve.colour,
		dashed: curve.dashed ?? false,
		values: columns[i] ?? [],
	}));
	const unit = panel.unit ? t(panel.unit) : "";
	const said = panel.curves
		.map((curve) =>
			`${t(curve.label)}: ${figure(latest(data, curve.name))} ${unit}`.trim(),
		)
		.join(", ");

	return (
		<Section title={t(panel.title)}>
			<Chart
				label={`${t(panel.title)}. ${t("chart.latest", { figures: said })}`}
				times={times}
				curves={curves}
				unit={unit}
			/>
			<p class="help">
				{panel.title === "chart.stanzas" || panel.title === "chart.bounces"
					? t("chart.per-step", { seconds: data.step_s })
					: said}
			</p>
		</Section>
	);
}

const ALL = PANELS.flatMap((panel) =>
	panel.curves.map((curve) => ({ ...curve, unit: panel.unit })),
);

/* The same numbers, for whoever does not see curves. */
function Figures({ data }: { data: SeriesData }) {
	const rows = tableOf(
		data,
		ALL.map((curve) => curve.name),
		TABLE_ROWS,
	);
	const clock = new Intl.DateTimeFormat(language.value, {
		timeStyle: "medium",
		hourCycle: "h23",
	});
	const columns: Column<(typeof rows)[number]>[] = [
		{
			key: "from",
			label: t("chart.from"),
			show: (row) => clock.format(row.from * 1000),
			sort: (row) => row.from,
		},
		...ALL.map((curve, i) => ({
			key: curve.name,
			label: curve.unit ? `${t(curve.label)} (${t(curve.unit)})` : t(curve.label),
			numeric: true,
			show: (row: (typeof rows)[number]) => figure(row.values[i] ?? null),
			sort: (row: (typeof rows)[number]) => row.values[i] ?? -1,
		})),
	];

	return (
		<Section title={t("chart.table")}>
			<p class="help">{t("chart.table-help")}</p>
			<Table
				caption={t("chart.table")}
				columns={columns}
				rows={rows}
				id={(row) => String(row.from)}
			/>
		</Section>
	);
}
