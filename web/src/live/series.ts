/*
 * Series of the node as columns for a chart and as rows for a table. The chart's newest value may
 * be of a step that is not over, so it is left out of sums. Pure.
 */
import type { SeriesData, SeriesName } from "./data";

export const RANGES = [15, 60, 360] as const; /* minutes */
export type Range = (typeof RANGES)[number];

/* Seconds since 1970 for each step, oldest first. */
export function timesOf(data: SeriesData, count: number): number[] {
	return Array.from({ length: count }, (_, i) => data.end - (count - 1 - i) * data.step_s);
}

function lengthOf(data: SeriesData): number {
	return Math.max(0, ...Object.values(data.series).map((list) => list?.length ?? 0));
}

/* Times and one column for each name; all of one length, with null where nothing is known. */
export function columnsOf(data: SeriesData, names: readonly SeriesName[]) {
	const count = lengthOf(data);
	const columns = names.map((name) => {
		const list = data.series[name] ?? [];
		return [...Array.from({ length: count - list.length }, () => null), ...list];
	});

	return { times: timesOf(data, count), columns };
}

const SUMMED = new Set<SeriesName>(["stanzas_in", "stanzas_out", "bounces"]);

function put(name: SeriesName, values: (number | null)[]): number | null {
	const known = values.filter((value): value is number => value !== null);

	if (known.length === 0) return null;
	/* counts add up; of levels and latencies the highest is what one wants to see */
	return SUMMED.has(name) ? known.reduce((sum, value) => sum + value, 0) : Math.max(...known);
}

export interface TableRow {
	from: number; /* seconds since 1970 */
	values: (number | null)[];
}

/* At most so many rows, newest first, each a few whole steps put together; none of which nothing
 * is known. */
export function tableOf(data: SeriesData, names: readonly SeriesName[], most: number): TableRow[] {
	const { times, columns } = columnsOf(data, names);
	const size = Math.max(1, Math.ceil(times.length / most));
	const rows: TableRow[] = [];

	for (let end = times.length; end > 0; end -= size) {
		const first = Math.max(0, end - size);
		rows.push({
			from: times[first] ?? data.end,
			values: names.map((name, c) =>
				put(name, (columns[c] ?? []).slice(first, end)),
			),
		});
	}
	return rows.filter((row) => row.values.some((value) => value !== null));
}

/* The last known value of a series: what a figure beside the chart says. */
export function latest(data: SeriesData, name: SeriesName): number | null {
	const list = data.series[name] ?? [];

	for (let i = list.length - 1; i >= 0; i--) {
		const value = list[i];
		if (value !== null && value !== undefined) return value;
	}
	return null;
}
