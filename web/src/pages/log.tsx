/*
 * The event log: what all processes of this node say, filtered, live. The newest stands on top, so
 * that one sees it come; what one reads stays where it is, and holding it stops it altogether.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, listen, type Connection } from "../api";
import { EventItem } from "../live/event_item";
import { LogFilters } from "../live/log_filters";
import type { LogEvent, LogPage as Page } from "../live/data";
import {
	EMPTY_TAIL,
	filterOf,
	hasText,
	paused,
	queryOf,
	restarted,
	resumed,
	withLive,
	withOlder,
	type Filter,
	type Tail,
} from "../live/log_tail";
import { asError } from "../load";
import { whole } from "../live/figures";
import { language } from "../preferences";
import { place, setQuery } from "../router";
import { t } from "../texts";
import { Badge, Button, EmptyState, Failure, Loading } from "../ui";

const KEPT = 1000; /* events in the browser */
const PAGE = 200; /* that are asked for at once */
const SETTLES_MS = 300; /* after the last key, before the node is asked */
const DRAWS_MS = 250; /* live events are drawn together */

function pathOf(filter: Filter, before?: number): string {
	const query = queryOf(filter);
	query.set("last", String(PAGE));
	if (before !== undefined) query.set("before", String(before));
	return `log?${query}`;
}

/* Events of this filter: a page of them first, then what comes. */
function useTail(filter: Filter) {
	const [tail, setTail] = useState<Tail | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [connection, setConnection] = useState<Connection>("connecting");
	const [round, setRound] = useState(0);
	const [older, setOlder] = useState<"some" | "none" | "busy">("some");
	const key = queryOf(filter).toString();

	useEffect(() => {
		const abort = new AbortController();
		const came: LogEvent[] = []; /* and not drawn yet */
		let ready = false; /* the page is there */
		let stop = () => {};
		const draw = () => {
			const events = came.splice(0);
			if (events.length > 0) setTail((now) => now && withLive(now, events, KEPT));
		};
		const drawing = setInterval(() => ready && draw(), DRAWS_MS);
		const take = (event: LogEvent) => {
			if (!hasText(event, filter.text)) return;
			if (came.length === KEPT) came.shift();
			came.push(event);
		};
		/* what was missed while there was no connection */
		const catchUp = async () => {
			const page = await get<Page>(pathOf(filter), abort.signal).catch(() => null);
			if (page) setTail((now) => now && withLive(now, page.events, KEPT));
		};
		const begin = async () => {
			const { text: _, ...live } = filter;
			const query = Object.fromEntries(queryOf({ ...live, text: "" }));
			let wasLive = false;
			stop = listen({ ...query, log: "1" }, { log: (data) => take(data as LogEvent) }, (now) => {
				setConnection(now);
				if (now === "live" && wasLive) void catchUp();
				wasLive ||= now === "live";
			});
			const page = await get<Page>(pathOf(filter), abort.signal);
			ready = true;
			setError(null);
			setOlder(page.events.length < PAGE ? "none" : "some");
			setTail((now) => restarted(now ?? EMPTY_TAIL, page.events));
		};
		const timer = setTimeout(() => {
			begin().catch((failed) => {
				if (!abort.signal.aborted) setError(asError(failed));
			});
		}, SETTLES_MS);
		return () => {
			clearTimeout(timer);
			clearInterval(drawing);
			abort.abort();
			stop();
		};
	}, [key, round]);

	const loadOlder = async () => {
		const first = tail?.events[0]?.seq;
		if (first === undefined) return;
		setOlder("busy");
		try {
			const page = await get<Page>(pathOf(filter, first));
			setTail((now) => now && withOlder(now, page.events, KEPT));
			setOlder(page.events.length < PAGE ? "none" : "some");
		} catch (failed) {
			setError(asError(failed));
			setOlder("some");
		}
	};
	return { tail, setTail, error, connection, older, loadOlder, reload: () => setRound(round + 1) };
}

export function LogPage() {
	const filter = filterOf(place.value.query);
	const log = useTail(filter);
	const { tail } = log;
	const setFilter = (change: Partial<Filter>) => setQuery({ ...filter, ...change });

	return (
		<>
			<LogFilters filter={filter} onChange={setFilter} />
			<Tools log={log} />
			{log.error && <Failure error={log.error} retry={log.reload} />}
			{!tail && !log.error && <Loading />}
			{tail && tail.events.length === 0 && <EmptyState title={t("log.none")} />}
			{tail && tail.events.length > 0 && (
				<>
					<Events events={tail.events} onFilter={setFilter} />
					<Older log={log} full={tail.events.length >= KEPT} />
				</>
			)}
		</>
	);
}

type Log = ReturnType<typeof useTail>;

function Tools({ log }: { log: Log }) {
	const { tail, setTail, connection } = log;
	const waiting = (tail?.aside.length ?? 0) + (tail?.missed ?? 0);
	const hold = () =>
		setTail((now) => now && (now.paused ? resumed(now, KEPT) : paused(now)));

	return (
		<div class="log-tools">
			{tail?.paused ? (
				<Badge state="off">{t("log.held")}</Badge>
			) : connection === "live" ? (
				<Badge state="ok">{t("live.live")}</Badge>
			) : connection === "lost" ? (
				<Badge state="bad">{t("live.lost")}</Badge>
			) : (
				<Badge state="busy">{t("live.connecting")}</Badge>
			)}
			<Button onClick={hold} disabled={!tail}>
				{tail?.paused ? t("log.resume") : t("log.hold")}
			</Button>
			<span class="muted">
				{t("log.count", { count: whole(tail?.events.length ?? 0, language.value) })}
				{tail?.paused && waiting > 0 && `, ${t("log.waiting", { count: waiting })}`}
				{tail && tail.missed > 0 && `, ${t("log.missed", { count: tail.missed })}`}
			</span>
		</div>
	);
}

function Events({ events, onFilter }: {
	events: LogEvent[];
	onFilter: (change: Partial<Filter>) => void;
}) {
	const list = useRef<HTMLOListElement>(null);
	const newestFirst = [...events].reverse();

	return (
		<ol class="events" ref={list} aria-label={t("log.list")}>
			{newestFirst.map((event) => (
				<EventItem key={event.seq} event={event} onFilter={onFilter} />
			))}
		</ol>
	);
}

function Older({ log, full }: { log: Log; full: boolean }) {
	if (full) return <p class="muted">{t("log.full", { count: KEPT })}</p>;
	if (log.older === "none") return <p class="muted">{t("log.no-older")}</p>;
	return (
		<div class="actions">
			<Button busy={log.older === "busy"} onClick={() => void log.loadOlder()}>
				{t("log.older")}
			</Button>
		</div>
	);
}
