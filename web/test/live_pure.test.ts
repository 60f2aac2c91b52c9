/* The parts of the live pages that know no page: rows, flow, log, ladder, series, figures. */
import assert from "node:assert/strict";
import test from "node:test";

import type { Attempt, LogEvent, SeriesData, Step, Why } from "../src/live/data";
import { age, bytes, duration, perSecond } from "../src/live/figures";
import { Looks, flowOf } from "../src/live/flow";
import { attemptToShow, rungsOf } from "../src/live/attempts";
import * as tail from "../src/live/log_tail";
import { mendingOf } from "../src/live/mending";
import * as rows from "../src/live/rows";
import { columnsOf, latest, tableOf } from "../src/live/series";
import { pages } from "../src/pages";

test("rows sort by number and by text, with empty cells last in both directions", () => {
	const cells = ["b", "", 10, "A", null, 9];
	assert.deepEqual(
		rows.sorted(cells, (cell) => cell, false),
		[9, 10, "A", "b", "", null],
	);
	assert.deepEqual(
		rows.sorted(cells, (cell) => cell, true),
		["b", "A", 10, 9, "", null],
	);
});

test("what compares equal stays in its order", () => {
	const list = [
		{ n: 1, k: "x" },
		{ n: 2, k: "x" },
		{ n: 3, k: "x" },
	];
	assert.deepEqual(
		rows.sorted(list, (row) => row.k, true).map((row) => row.n),
		[1, 2, 3],
	);
});

test("a row is found by all words of the search, whatever their case", () => {
	assert.ok(rows.matches("example.net tls-failed", rows.needles(" TLS  net ")));
	assert.ok(!rows.matches("example.net", rows.needles("net org")));
	assert.ok(rows.matches("anything", rows.needles("  ")));
});

test("ten thousand rows are searched and sorted in less than a frame or two", () => {
	const many = Array.from(
		{ length: 10_000 },
		(_, i) => `host-${(i * 7919) % 10_000}.example`,
	);
	const began = performance.now();
	const found = rows.sorted(
		many.filter((row) => rows.matches(row, rows.needles("host 9"))),
		(row) => row,
		true,
	);
	assert.ok(found.length > 1000);
	assert.ok(performance.now() - began < 500, "far more than it takes on a slow machine");
});

test("a window shows the rows that are scrolled to, and stands for all others", () => {
	for (const [count, scrolled, height] of [
		[10_000, 0, 600],
		[10_000, 123_456, 600],
		[10_000, 1e9, 600],
		[3, 0, 600],
		[0, 0, 600],
	] as const) {
		const shown = rows.windowOf(count, 32, scrolled, height);
		const total = shown.above + (shown.end - shown.first) * 32 + shown.below;
		assert.equal(total, count * 32);
		assert.ok(shown.end - shown.first <= 19 + 20);
		assert.ok(shown.first >= 0 && shown.end <= count && shown.first <= shown.end);
	}
});

test("the keyboard moves within the rows and never out of them", () => {
	assert.equal(rows.moved("ArrowDown", 0, 10, 5), 1);
	assert.equal(rows.moved("ArrowUp", 0, 10, 5), 0);
	assert.equal(rows.moved("PageDown", 7, 10, 5), 9);
	assert.equal(rows.moved("End", 0, 10, 5), 9);
	assert.equal(rows.moved("Home", 9, 10, 5), 0);
	assert.equal(rows.moved("a", 3, 10, 5), null);
	assert.equal(rows.moved("ArrowDown", 0, 0, 5), null);
	assert.equal(rows.scrollFor(0, 32, 100, 320), 0);
	assert.equal(rows.scrollFor(5, 32, 100, 320), 100);
	assert.equal(rows.scrollFor(20, 32, 100, 320), 352);
});

test("flow is what a counter grew by in a second, and nothing after a restart", () => {
	const look = (ms: number, n: number) => ({ ms, counters: { "stanzas.in": n } });
	assert.equal(flowOf(look(0, 10), look(2000, 30)).in, 10);
	assert.equal(flowOf(look(0, 10), look(2000, 3)).in, null);
	assert.equal(flowOf(null, look(0, 10)).in, null);
	assert.equal(flowOf(look(0, 10), look(2000, 30)).out, null);
});

test("flow is taken over the span, and over the last two looks where they are further apart", () => {
	const looks = new Looks(10_000);
	const at = (ms: number, n: number) => looks.add({ ms, counters: { "stanzas.in": n } }).in;
	assert.equal(at(0, 0), null);
	assert.equal(at(2000, 20), 10);
	assert.equal(at(4000, 20), 5);
	assert.equal(at(4000, 20), 5);
	assert.equal(at(60_000, 20), 0);
});

function event(seq: number, more: Partial<LogEvent> = {}): LogEvent {
	return {
		seq,
		time: "2026-11-24T12:00:00.000000+00:00",
		node: "edge-a",
		process: "sallyport-traffic",
		pid: 1,
		module: "XMPPFederation",
		level: "INFO",
		location: "s2s.out.ready",
		detail: `xcoder=A${seq} peer=example.net`,
		...more,
	};
}

const seqs = (events: LogEvent[]) => events.map((each) => each.seq);

test("the log keeps the newest, each once, and never more than its bound", () => {
	let log = tail.restarted(tail.EMPTY_TAIL, [event(1), event(2)]);
	for (const seq of [2, 3, 4, 5, 5]) log = tail.withLive(log, [event(seq)], 3);
	assert.deepEqual(seqs(log.events), [3, 4, 5]);
});

test("while it is paused the log stands still, and goes on with what came meanwhile", () => {
	let log = tail.paused(tail.restarted(tail.EMPTY_TAIL, [event(1)]));
	for (const seq of [2, 3, 4, 5]) log = tail.withLive(log, [event(seq)], 3);
	assert.deepEqual(seqs(log.events), [1]);
	assert.equal(log.missed, 1);
	log = tail.resumed(log, 3);
	assert.deepEqual(seqs(log.events), [3, 4, 5]);
	assert.ok(!log.paused);
});

test("events that come together are taken together, those already there not again", () => {
	const log = tail.restarted(tail.EMPTY_TAIL, [event(1), event(2)]);
	assert.deepEqual(
		seqs(tail.withLive(log, [event(2), event(3), event(4)], 9).events),
		[1, 2, 3, 4],
	);
	assert.equal(tail.withLive(log, [event(1), event(2)], 9), log);
});

test("older events come in front as far as there is room", () => {
	const log = tail.restarted(tail.EMPTY_TAIL, [event(10), event(11)]);
	assert.deepEqual(
		seqs(tail.withOlder(log, [event(7), event(8), event(9), event(10)], 4).events),
		[8, 9, 10, 11],
	);
	assert.deepEqual(seqs(tail.withOlder(log, [event(9)], 2).events), [10, 11]);
});

test("a filter goes into the address and comes back", () => {
	const filter = { ...tail.NO_FILTER, domain: " a.example ", level: "warn" };
	const query = tail.queryOf(filter);
	assert.equal(query.toString(), "domain=a.example&level=warn");
	assert.deepEqual(tail.filterOf(query), { ...filter, domain: "a.example" });
});

test("text is looked for in every part that is shown", () => {
	assert.ok(tail.hasText(event(1), "PEER=example"));
	assert.ok(tail.hasText(event(1, { fields: { Action: "Send" } }), "action=send"));
	assert.ok(!tail.hasText(event(1), "elsewhere"));
});

test("a detail is taken apart into its pairs, and loses nothing", () => {
	assert.deepEqual(tail.pairsOf('xcoder=34A9 why="no answer" sending:: <a b> n=1'), [
		{ key: "xcoder", value: "34A9" },
		{ key: "why", value: '"no answer"' },
		{ key: "", value: "sending:: <a b>" },
		{ key: "n", value: "1" },
	]);
	assert.deepEqual(tail.pairsOf(""), []);
});

function step(at_ms: number, who: Step["who"], verdict: Step["verdict"] = "ok"): Step {
	return { at_ms, took_ms: null, who, name: "tcp", text: "", verdict };
}

function attempt(more: Partial<Attempt>): Attempt {
	return {
		direction: "out",
		local: "a.example",
		remote: "b.example",
		xcoder: "34A9",
		began: 0,
		took_ms: 0,
		state: "failed",
		failure: "tcp-timeout",
		why: "",
		steps: [],
		...more,
	};
}

test("the ladder stops at the last bad step, and marks the long wait", () => {
	const rungs = rungsOf(
		attempt({
			steps: [
				step(0, "policy"),
				step(5, "dns"),
				step(9, "us", "bad"),
				step(30_009, "peer", "bad"),
			],
		}),
	);
	assert.deepEqual(
		rungs.map((rung) => rung.stopped),
		[false, false, false, true],
	);
	assert.deepEqual(
		rungs.map((rung) => rung.slow),
		[false, false, false, true],
	);
	assert.deepEqual(
		rungs.map((rung) => rung.side),
		["us", "them", "us", "them"],
	);
	assert.equal(rungs[3]?.gap_ms, 30_000);
});

test("a ladder that ended well stops nowhere, and one without a bad step at its end", () => {
	assert.ok(
		rungsOf(attempt({ state: "ready", steps: [step(0, "us")] })).every(
			(r) => !r.stopped,
		),
	);
	assert.ok(rungsOf(attempt({ steps: [step(0, "us"), step(1, "us")] }))[1]?.stopped);
	assert.deepEqual(rungsOf(attempt({ steps: [] })), []);
});

test("the attempt on top is the one that the headline speaks of", () => {
	const why = (failure: string | null, attempts: Attempt[]) =>
		attemptToShow({ failure, attempts } as Why);
	const good = attempt({ state: "ready", failure: null, xcoder: "GOOD" });
	const bad = attempt({ xcoder: "BAD" });
	const incoming = attempt({ direction: "in", state: "ready", failure: null });
	assert.equal(why("tcp-timeout", [incoming, good, bad]), bad);
	assert.equal(why(null, [incoming, bad, good]), good);
	assert.equal(why(null, [incoming, bad]), incoming);
	assert.equal(why(null, []), undefined);
});

const series: SeriesData = {
	step_s: 10,
	end: 1000,
	series: { stanzas_in: [1, 2, 3, null], streams: [5, 7, 6, null], bounces: [1] },
};

test("a chart's columns are of one length and end at the same time", () => {
	const { times, columns } = columnsOf(series, ["stanzas_in", "bounces", "waiting"]);
	assert.deepEqual(times, [970, 980, 990, 1000]);
	assert.deepEqual(columns, [
		[1, 2, 3, null],
		[null, null, null, 1],
		[null, null, null, null],
	]);
});

test("the table puts steps together: counts as sums, levels as their highest", () => {
	assert.deepEqual(tableOf(series, ["stanzas_in", "streams"], 2), [
		{ from: 990, values: [3, 6] },
		{ from: 970, values: [3, 7] },
	]);
	assert.deepEqual(tableOf(series, ["waiting"], 2), []);
	assert.equal(latest(series, "stanzas_in"), 3);
	assert.equal(latest(series, "waiting"), null);
});

test("figures are short and carry their unit", () => {
	assert.equal(perSecond(0.34, "en"), "0.3");
	assert.equal(perSecond(1234.4, "de"), "1.234");
	assert.equal(bytes(1023, "en"), "1,023\u00a0B");
	assert.equal(bytes(1536, "de"), "1,5\u00a0KiB");
	assert.equal(age(59), "59s");
	assert.equal(age(185), "3m05s");
	assert.equal(age(7620), "2h07m");
	assert.equal(age(4 * 86400 + 3 * 3600), "4d03h");
	assert.equal(duration(12, "en"), "12\u00a0ms");
	assert.equal(duration(1250, "de"), "1,25\u00a0s");
});

test("an alarm leads to a page that is there, and only on nodes that have it", () => {
	for (const number of [25023, 15021, 35013, 25019, 40068, 90001, 90003, 90005, 90010])
		for (const role of ["edge", "core", "home"] as const) {
			const alarm = {
				number,
				severity: "error",
				title: "",
				subject: "",
				seen: "",
			};
			const place = mendingOf(alarm, role);
			const page = place && pages.find((each) => each.path === place.path);
			assert.ok(!place || page, `${number}: ${place?.path}`);
			assert.ok(
				!page?.roles || page.roles.includes(role),
				`${number} on ${role}`,
			);
		}
});

test("verbose levels are set back on the tab that has the module", () => {
	const alarm = (subject: string) => ({
		number: 25019,
		severity: "",
		title: "",
		subject,
		seen: "",
	});
	assert.equal(mendingOf(alarm("network.axl"), "core")?.query?.tab, "network");
	assert.equal(mendingOf(alarm("developer.xcp.cm"), "core")?.query?.tab, "support");
});
