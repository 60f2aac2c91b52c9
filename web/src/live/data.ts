/*
 * What the JSON API answers about the living system (docs/api.md), as types. A record's empty
 * field is "", also where a number could stand: `given` tells.
 */

export type Role = "edge" | "core" | "home";

export interface Alarm {
	number: number;
	severity: string;
	title: string;
	subject: string;
	seen: string;
	/* of our own alarms only */
	since?: string;
	cause?: string;
	fix?: string;
}

export interface Link {
	node: string;
	role: Role;
	state: string;
	direction: string;
	unsettled: number;
	seconds: number;
	why: string;
	realms: string;
	address: string;
}

export interface Tunnel {
	node: string;
	role: Role;
	state: string;
	direction: string;
	seconds: number;
	why: string;
	heard_ms: number | "";
}

export interface Attachment {
	name: string;
	state: string;
	unsettled: number;
	why: string;
	federates: string;
}

export interface HomeServer {
	name: string;
	address: string;
	state: string;
	trouble: string;
	why: string;
}

export interface Stream {
	direction: "in" | "out";
	xcoder: string;
	local: string;
	remote: string;
	state: string;
	tls: string;
	auth: string;
	stanzas: number;
	seconds: number;
	address: string;
	certificate: string;
	bytes: number | "";
	cipher: string;
}

export interface Peer {
	domain: string;
	out: string;
	in: string;
	waiting: number;
	retry_seconds: number | "";
	failure: string;
	failed_seconds: number | "";
	why: string;
	stanzas: number | "";
}

/* What another node told through its tunnel. */
export interface Other {
	node: string;
	role: Role;
	release: string;
	federation: boolean;
	alarms: Alarm[];
}

export interface Status {
	node: { name: string; role: Role };
	verdict: string;
	wrong: string[];
	warnings: string[];
	silent: { process: string; why: string }[];
	processes: { name: string; state: string; starts: number; last_end: string }[];
	links: Link[];
	tunnels: Tunnel[];
	attachments: Attachment[];
	home_servers: HomeServer[];
	realms: { name: string; table: string; link: string }[];
	domains: { name: string; federation: string; node: string }[];
	levels: { module: string; level: string; until: number | "" }[];
	captures: Capture[];
	alarms: Alarm[];
	others: Record<string, Partial<Other>>;
	counters: Record<string, number>;
	settings: Record<string, string | number>;
	/* absent in a brief status */
	streams?: Stream[];
	peers?: Peer[];
}

export interface Capture {
	name: string;
	state: string;
	interface: string;
	packets: number;
	bytes: number;
	began: number;
	why: string;
}

export interface LogEvent {
	seq: number;
	time: string;
	node: string;
	process: string;
	pid: number;
	module: string;
	level: string;
	location: string;
	detail: string;
	fields?: Record<string, string>;
	xcoder?: string;
	domains?: string[];
}

export interface LogPage {
	events: LogEvent[];
	first: number;
	last: number;
}

export const SERIES = [
	"stanzas_in",
	"stanzas_out",
	"bounces",
	"streams",
	"waiting",
	"latency_p50_ms",
	"latency_p99_ms",
] as const;
export type SeriesName = (typeof SERIES)[number];

export interface SeriesData {
	step_s: number;
	end: number;
	series: Partial<Record<SeriesName, (number | null)[]>>;
}

export interface Step {
	at_ms: number;
	took_ms: number | null;
	who: "us" | "peer" | "dns" | "policy";
	name: string;
	text: string;
	verdict: "ok" | "bad" | "info";
}

export interface Attempt {
	direction: "out" | "in";
	local: string;
	remote: string;
	xcoder: string;
	began: number;
	took_ms: number;
	state: "ready" | "failed" | "running" | "closed";
	failure: string | null;
	why: string;
	steps: Step[];
}

export interface Why {
	domain: string;
	node: string;
	verdict: "up" | "failed" | "refused" | "waiting" | "idle" | "never";
	failure?: string | null;
	headline: string;
	cause?: string;
	fix?: string;
	command?: string | null;
	seen?: string;
	policy?: { local: string; verdict: string; why: string | null; route: string }[];
	queue?: { local: string; stanzas: number; bytes: number; oldest_seconds: number }[];
	retry_ms?: number | null;
	attempts?: Attempt[];
	/* of a node without a side to the world: who stands nearer to it */
	ask?: { node: string; role: string; link: string }[];
	nodes?: Why[];
}

export interface Consequence {
	symptom: number;
	node: string;
	subject: string;
	title: string;
}

export interface Finding {
	symptom: number;
	node: string;
	severity: string;
	title: string;
	subject: string;
	seen: string;
	cause: string;
	fix: string;
	command: string | null;
	consequences?: Consequence[]; /* other findings that follow from it */
}

export interface Doctor {
	verdict: string;
	looked_ms: number;
	nodes: { name: string; role: Role; reached: boolean; why: string | null }[];
	findings: Finding[];
	checks: { symptom: number; name: string; node: string; result: string; why: string }[];
}

export interface DiagNode {
	node: string;
	state: "none" | "running" | "kept";
	began: number;
	ends: number;
	lines: number;
	bytes: number;
	capture: boolean;
	secrets: boolean;
	author: string;
}

export interface Diag {
	nodes: DiagNode[];
}

export function given(value: number | "" | null | undefined): value is number {
	return typeof value === "number";
}

/* As admin/status.h has it: a process, link, tunnel or attachment in any other state is not well. */
export function isWell(state: string): boolean {
	return state === "up" || state === "ready" || state === "open" || state === "running";
}

const SEVERITIES = ["warning", "alert", "error", "critical"];

/* From 0, the mildest; what is unknown ranks lowest. */
export function severityRank(severity: string): number {
	return Math.max(0, SEVERITIES.indexOf(severity.toLowerCase()));
}

/* Whether something is broken now, as against "should be looked after". */
export function isGrave(severity: string): boolean {
	return severityRank(severity) >= SEVERITIES.indexOf("error");
}
