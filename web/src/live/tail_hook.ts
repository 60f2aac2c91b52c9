/* The event log of a filter for a page: some events to begin with, then those that come, live. */
import { useEffect, useState } from "preact/hooks";
import { get, listen, type Connection } from "../api";
import { asError } from "../load";
import type { LogEvent, LogPage } from "./data";
import {
	EMPTY_TAIL,
	hasText,
	paused,
	queryOf,
	restarted,
	resumed,
	withLive,
	withOlder,
	type Filter,
	type Tail,
} from "./log_tail";

export const KEPT = 1000; /* events in the browser */
const PAGE = 200; /* that are asked for at once */
const SETTLES_MS = 300; /* after the last key, before the node is asked */
const DRAWS_MS = 250; /* live events are drawn together */

function ask(
	filter: Filter,
	before?: number,
	abort?: AbortSignal,
	alone = false,
): Promise<LogPage> {
	const query = queryOf(filter);
	query.set("last", String(PAGE));
	if (before !== undefined) query.set("before", String(before));
	return get<LogPage>(`log?${query}`, abort, alone);
}

interface Sink {
	first: (events: LogEvent[]) => void;
	more: (events: LogEvent[]) => void; /* some may have been told already */
	failed: (error: Error) => void;
	connection: (now: Connection) => void;
}

/*
 * Live events are listened to before the first page is asked for, so that none is missed between
 * both; what came while there was no connection is asked for when it is back.
 */
function follow(filter: Filter, sink: Sink): () => void {
	const abort = new AbortController();
	const came: LogEvent[] = []; /* and not told yet */
	let isBegun = false;
	let wasLive = false;

	const take = (event: LogEvent) => {
		if (!hasText(event, filter.text)) return;
		if (came.length === KEPT) came.shift();
		came.push(event);
	};
	const catchUp = async () => {
		const page = await ask(filter, undefined, abort.signal, true).catch(() => null);
		if (page) sink.more(page.events);
	};
	const stop = listen(
		{ ...Object.fromEntries(queryOf({ ...filter, text: "" })), log: "1" },
		{ log: (data) => take(data as LogEvent) },
		(now) => {
			sink.connection(now);
			if (now === "live" && wasLive) void catchUp();
			wasLive ||= now === "live";
		},
	);
	const drawing = setInterval(() => {
		if (isBegun && came.length > 0) sink.more(came.splice(0));
	}, DRAWS_MS);
	ask(filter, undefined, abort.signal).then(
		(page) => {
			isBegun = true;
			sink.first(page.events);
		},
		(error) => abort.signal.aborted || sink.failed(asError(error)),
	);
	return () => {
		abort.abort();
		clearInterval(drawing);
		stop();
	};
}

type Older = "some" | "none" | "busy";

export function useTail(filter: Filter) {
	const [tail, setTail] = useState<Tail | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [connection, setConnection] = useState<Connection>("connecting");
	const [round, setRound] = useState(0);
	const [older, setOlder] = useState<Older>("some");
	const change = (made: (now: Tail) => Tail) => setTail((now) => now && made(now));
	const leftAfter = (events: LogEvent[]): Older => (events.length < PAGE ? "none" : "some");

	useEffect(() => {
		let stop = () => {};
		const sink: Sink = {
			first: (events) => {
				setError(null);
				setOlder(leftAfter(events));
				setTail((now) => restarted(now ?? EMPTY_TAIL, events));
			},
			more: (events) => change((now) => withLive(now, events, KEPT)),
			failed: setError,
			connection: setConnection,
		};
		const timer = setTimeout(() => {
			stop = follow(filter, sink);
		}, SETTLES_MS);
		return () => {
			clearTimeout(timer);
			stop();
		};
	}, [queryOf(filter).toString(), round]);

	const loadOlder = async () => {
		const first = tail?.events[0]?.seq;
		if (first === undefined) return;
		setOlder("busy");
		try {
			const { events } = await ask(filter, first);
			change((now) => withOlder(now, events, KEPT));
			setOlder(leftAfter(events));
		} catch (failed) {
			setError(asError(failed));
			setOlder("some");
		}
	};
	return {
		tail,
		error,
		connection,
		older,
		loadOlder,
		hold: () => change((now) => (now.paused ? resumed(now, KEPT) : paused(now))),
		reload: () => setRound(round + 1),
	};
}

export type Log = ReturnType<typeof useTail>;
