/*
 * The events that a page holds: newest last, each once, at most so many. Live ones come at the
 * end, older ones that were asked for at the front. While it is paused live ones are counted and
 * kept aside, as many as fit, so that what one reads stands still. Pure.
 */
import type { LogEvent } from "./data";

export interface Filter {
	domain: string;
	stream: string;
	module: string;
	level: string;
	text: string;
}

export const NO_FILTER: Filter = { domain: "", stream: "", module: "", level: "", text: "" };
export const LEVELS = ["error", "warn", "info", "debug"] as const;

/* The query of /log and /live; what is not asked for is left out. */
export function queryOf(filter: Filter): URLSearchParams {
	const query = new URLSearchParams();

	for (const [key, value] of Object.entries(filter))
		if (value.trim()) query.set(key, value.trim());
	return query;
}

export function filterOf(query: URLSearchParams): Filter {
	const filter = { ...NO_FILTER };

	for (const key of Object.keys(filter) as (keyof Filter)[])
		filter[key] = query.get(key) ?? "";
	return filter;
}

/* /live filters all but text, which is looked for here. */
export function hasText(event: LogEvent, text: string): boolean {
	const needle = text.trim().toLowerCase();

	if (!needle) return true;
	const fields = Object.entries(event.fields ?? {}).map(([key, value]) => `${key}=${value}`);
	return [event.module, event.location, event.detail, event.process, ...fields].some((part) =>
		part.toLowerCase().includes(needle),
	);
}

export interface Tail {
	events: LogEvent[];
	aside: LogEvent[]; /* came while paused */
	missed: number; /* came while paused, and did not fit */
	paused: boolean;
}

export const EMPTY_TAIL: Tail = { events: [], aside: [], missed: 0, paused: false };

function lastSeq(events: LogEvent[]): number {
	return events[events.length - 1]?.seq ?? 0;
}

/* A first page, or one for another filter. Whether it is paused stays. */
export function restarted(tail: Tail, page: LogEvent[]): Tail {
	return { ...EMPTY_TAIL, paused: tail.paused, events: page };
}

export function withLive(tail: Tail, events: LogEvent[], most: number): Tail {
	const last = Math.max(lastSeq(tail.events), lastSeq(tail.aside));
	const fresh = events.filter((event) => event.seq > last);

	if (fresh.length === 0) return tail;
	if (!tail.paused) return { ...tail, events: [...tail.events, ...fresh].slice(-most) };
	const aside = [...tail.aside, ...fresh];
	return {
		...tail,
		aside: aside.slice(-most),
		missed: tail.missed + Math.max(0, aside.length - most),
	};
}

/* Older ones are added as far as there is room, so that what is on the screen never vanishes. */
export function withOlder(tail: Tail, older: LogEvent[], most: number): Tail {
	const first = tail.events[0]?.seq ?? Infinity;
	const fresh = older.filter((event) => event.seq < first);
	const room = Math.max(0, most - tail.events.length);

	return {
		...tail,
		events: [...fresh.slice(Math.max(0, fresh.length - room)), ...tail.events],
	};
}

export function paused(tail: Tail): Tail {
	return { ...tail, paused: true };
}

export function resumed(tail: Tail, most: number): Tail {
	return { ...EMPTY_TAIL, events: [...tail.events, ...tail.aside].slice(-most) };
}

/* "key=value key2=value" as pairs, so that a phone can show them below each other; what is no pair
 * has no key. Values with spaces in quotes stay whole. */
export function pairsOf(detail: string): { key: string; value: string }[] {
	const pairs: { key: string; value: string }[] = [];

	for (const [part] of detail.matchAll(/[\w.-]+=\\?"(?:\\.|[^"\\])*\\?"|\S+/g)) {
		const pair = /^([A-Za-z][\w.-]*)=(.*)$/.exec(part);
		const last = pairs[pairs.length - 1];

		if (pair) {
			pairs.push({ key: pair[1] ?? "", value: pair[2] ?? "" });
		} else if (last && last.key === "") {
			last.value += ` ${part}`;
		} else {
			pairs.push({ key: "", value: part });
		}
	}
	return pairs;
}
