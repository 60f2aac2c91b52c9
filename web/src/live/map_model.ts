/*
 * The live map as data: from what one node knows (its status, and what other nodes told it), the
 * places between the world and the users, the hops between them, and where it is broken. Pure; no
 * word for people is made here but what alarms and records say themselves.
 *
 * An alarm stands where its cause is: at a hop if it is about another node, otherwise at the node
 * that raised it. What is not well and has no alarm yet (it must last some seconds) is shown all
 * the same.
 */
import {
	isGrave,
	isWell,
	severityRank,
	type Alarm,
	type Link,
	type Peer,
	type Role,
	type Status,
	type Tunnel,
} from "./data";

export const COLUMNS = ["world", "edge", "core", "home", "server"] as const;
export type Column = (typeof COLUMNS)[number];
export type Health = "well" | "warned" | "broken" | "unseen";

/* What is wrong at a place: an alarm, or what a record says while there is none yet. */
export interface Trouble {
	title: string;
	seen: string[]; /* of each subject, in their order */
	subjects: string[];
	alarm?: { number: number; node: string }; /* its number, and who says so */
}

export interface Place {
	id: string;
	column: Column;
	name: string; /* empty: known by its column only */
	self: boolean;
	/* too far away to be seen from this node, whatever happens */
	beyond: boolean;
	health: Health;
	trouble: Trouble[];
}

export interface Hop {
	id: string;
	outer: string; /* a place's id; the one nearer to the world */
	inner: string;
	health: Health;
	trouble: Trouble[];
}

export interface MapModel {
	places: Place[];
	hops: Hop[];
}

const RANK: Record<Health, number> = { unseen: 0, well: 1, warned: 2, broken: 3 };

/* What an alarm is about (tables/alarms.h). */
const ABOUT_NODE = new Set([90001, 35013, 35014, 25022, 90011]);
const ABOUT_SERVER = new Set([90002]);
const ABOUT_HOME_SERVER = new Set([25023, 90007]);
const ABOUT_WORLD = new Set([90009, 25024]);

export function worse(a: Health, b: Health): Health {
	return RANK[a] >= RANK[b] ? a : b;
}

function healthOf(alarm: Alarm): Health {
	return isGrave(alarm.severity) ? "broken" : "warned";
}

function nodeId(name: string): string {
	return `node:${name}`;
}

function serverId(node: string, name: string): string {
	return `server:${node}:${name}`;
}

const WORLD = "world";

class Builder {
	readonly places = new Map<string, Place>();
	readonly hops = new Map<string, Hop>();

	place(id: string, column: Column, name: string, health: Health, self = false): Place {
		const known = this.places.get(id);
		if (known) {
			known.health = worse(known.health, health);
			return known;
		}
		const made: Place = { id, column, name, self, beyond: false, health, trouble: [] };
		this.places.set(id, made);
		return made;
	}

	/* Which of both is nearer to the world follows from their columns. */
	hop(a: string, b: string, health: Health): Hop | undefined {
		const placeA = this.places.get(a);
		const placeB = this.places.get(b);
		if (!placeA || !placeB) return undefined;
		const aIsOuter = COLUMNS.indexOf(placeA.column) <= COLUMNS.indexOf(placeB.column);
		const [outer, inner] = aIsOuter ? [a, b] : [b, a];
		const id = `${outer} ${inner}`;
		const known = this.hops.get(id);
		if (known) {
			known.health = worse(known.health, health);
			return known;
		}
		const made: Hop = { id, outer, inner, health, trouble: [] };
		this.hops.set(id, made);
		return made;
	}

	/* That something must be there is known, and no more. */
	beyond(id: string, column: Column): void {
		this.place(id, column, "", "unseen").beyond = true;
	}

	/* What was taken for well is behind something broken. */
	hide(id: string): void {
		const place = this.places.get(id);
		if (place) place.health = "unseen";
	}

	find(a: string, b: string): Hop | undefined {
		return this.hops.get(`${a} ${b}`) ?? this.hops.get(`${b} ${a}`);
	}
}

function withoutAlarm(title: string): Trouble {
	return { title, seen: [], subjects: [] };
}

/* One alarm of several subjects (modules, certificates) is one trouble. */
function blame(spot: Place | Hop, node: string, alarm: Alarm): void {
	const { number, title, subject, seen } = alarm;
	const same = spot.trouble.find(
		(trouble) => trouble.alarm?.number === number && trouble.alarm.node === node,
	);

	spot.health = worse(spot.health, healthOf(alarm));
	if (same) {
		same.subjects.push(subject);
		same.seen.push(seen);
	} else {
		spot.trouble.push({
			title,
			subjects: [subject],
			seen: [seen],
			alarm: { number, node },
		});
	}
}

function addSelf(map: Builder, status: Status): string {
	const { name, role } = status.node;
	return map.place(nodeId(name), role, name, "well", true).id;
}

function nameWhy(record: Link | Tunnel): string {
	return record.why || record.state;
}

function hasAlarm(status: Status, numbers: number[], subject: string): boolean {
	return status.alarms.some(
		(alarm) => numbers.includes(alarm.number) && alarm.subject === subject,
	);
}

function addNeighbours(map: Builder, status: Status, self: string): void {
	for (const link of status.links) {
		const id = map.place(nodeId(link.node), link.role, link.node, "unseen").id;
		const well = isWell(link.state);
		const hop = map.hop(self, id, well ? "well" : "broken");
		if (hop && !well && !hasAlarm(status, [90001], link.node)) {
			hop.trouble.push(withoutAlarm(nameWhy(link)));
		}
	}
	for (const tunnel of status.tunnels) {
		const id = map.place(nodeId(tunnel.node), tunnel.role, tunnel.node, "unseen").id;
		const well = isWell(tunnel.state);
		const hop = map.hop(self, id, well ? "well" : "warned");
		if (hop && !well && !hasAlarm(status, [35013, 35014], tunnel.node)) {
			hop.trouble.push(withoutAlarm(nameWhy(tunnel)));
		}
	}
}

function addOthers(map: Builder, status: Status): void {
	for (const [name, other] of Object.entries(status.others))
		if (other.role) map.place(nodeId(name), other.role, name, "well");
}

function addServers(map: Builder, status: Status, self: string): void {
	for (const attachment of status.attachments) {
		const well = isWell(attachment.state);
		const id = map.place(
			serverId(status.node.name, attachment.name),
			"server",
			attachment.name,
			well ? "well" : "unseen",
		).id;
		const hop = map.hop(self, id, well ? "well" : "broken");
		if (hop && !well && !hasAlarm(status, [90002], attachment.name)) {
			hop.trouble.push(withoutAlarm(attachment.why || attachment.state));
		}
	}
}

/* Home servers that are no nodes of ours, as a Cisco IM and Presence server is. */
function addHomeServers(map: Builder, status: Status, self: string): void {
	for (const server of status.home_servers) {
		const well = isWell(server.state);
		const id = map.place(
			nodeId(server.name),
			"home",
			server.name,
			well ? "well" : "unseen",
		).id;
		if (!map.find(self, id)) map.hop(self, id, well ? "well" : "warned");
	}
}

/* The edges that a home node has never met: the realms of its table, and who can reach them. */
function addRealms(map: Builder, status: Status): void {
	const cores = status.links.filter((link) => link.role === "core");

	for (const realm of status.realms) {
		const linked = realm.link === "linked";
		const id = map.place(
			nodeId(realm.name),
			"edge",
			realm.name,
			linked ? "well" : "unseen",
		).id;
		for (const core of cores) {
			const reaches = core.realms.split(/\s+/).includes(realm.name);
			if (reaches || (!linked && core === cores[0]))
				map.hop(id, nodeId(core.node), reaches ? "well" : "broken");
		}
	}
}

/* What must be there, and is not seen from here: the map goes from the world to the users always. */
function addUnseen(map: Builder, role: Role): void {
	const of = (column: Column) => [...map.places.values()].filter((p) => p.column === column);
	const isSmall = role === "edge" && of("core").length === 0 && of("server").length > 0;

	if (!isSmall) {
		for (const column of ["edge", "core", "home"] as const) {
			if (of(column).length === 0) map.beyond(`beyond:${column}`, column);
		}
		connect(map, of("edge"), of("core"));
		connect(map, of("core"), of("home"));
		for (const home of of("home")) {
			if (!home.self && home.name) {
				map.place(serverId(home.name, ""), "server", "", home.health);
				map.hop(home.id, serverId(home.name, ""), home.health);
			}
		}
		if (of("server").length === 0) {
			map.beyond("beyond:server", "server");
			connect(map, of("home"), of("server"));
		}
	}
	if (role === "edge") map.place(WORLD, "world", "", "well");
	else map.beyond(WORLD, "world");
	for (const edge of of("edge")) map.hop(WORLD, edge.id, edge.self ? "well" : edge.health);
}

/* Columns that no hop joins yet, by one of unknown health between all that have none. */
function connect(map: Builder, outer: Place[], inner: Place[]): void {
	const joined = (place: Place, others: Place[]) =>
		others.some((other) => map.find(place.id, other.id) !== undefined);

	for (const a of outer) {
		for (const b of inner)
			if (!joined(a, inner) || !joined(b, outer)) map.hop(a.id, b.id, "unseen");
	}
}

/* Where an alarm of `node` belongs: a hop of it, or itself. */
function spotOf(map: Builder, node: string, alarm: Alarm): Place | Hop | undefined {
	const id = nodeId(node);
	const place = map.places.get(id);

	if (ABOUT_NODE.has(alarm.number) || ABOUT_HOME_SERVER.has(alarm.number))
		return map.find(id, nodeId(alarm.subject)) ?? place;
	if (ABOUT_SERVER.has(alarm.number)) {
		const named = map.find(id, serverId(node, alarm.subject));
		return named ?? map.find(id, serverId(node, "")) ?? place;
	}
	if (ABOUT_WORLD.has(alarm.number)) return map.find(id, WORLD) ?? place;
	return place;
}

function addAlarms(map: Builder, node: string, alarms: Alarm[]): void {
	const worstFirst = [...alarms].sort(
		(a, b) => severityRank(b.severity) - severityRank(a.severity),
	);

	for (const alarm of worstFirst) {
		const spot = spotOf(map, node, alarm);
		const behind = ABOUT_SERVER.has(alarm.number) && spot && "inner" in spot;
		if (behind) map.hide(spot.inner);
		if (spot) blame(spot, node, alarm);
	}
}

export function mapOf(status: Status): MapModel {
	const map = new Builder();
	const self = addSelf(map, status);

	addNeighbours(map, status, self);
	addOthers(map, status);
	addServers(map, status, self);
	addHomeServers(map, status, self);
	addRealms(map, status);
	addUnseen(map, status.node.role);
	addAlarms(map, status.node.name, status.alarms);
	for (const [name, other] of Object.entries(status.others))
		addAlarms(map, name, other.alarms ?? []);
	return { places: [...map.places.values()], hops: [...map.hops.values()] };
}

/* Of a place that is too far away: who is nearer to it, if that has a name. */
export function nearerThan(model: MapModel, place: Place): Place | undefined {
	const rank = (each: Place) => COLUMNS.indexOf(each.column);
	const self = model.places.find((each) => each.self);
	const next = model.hops
		.filter((hop) => hop.outer === place.id || hop.inner === place.id)
		.map((hop) => (hop.outer === place.id ? hop.inner : hop.outer))
		.flatMap((id) => model.places.filter((each) => each.id === id));
	const far = (each: Place) => (self ? Math.abs(rank(each) - rank(self)) : 0);
	const nearer = next.filter((each) => far(each) < far(place) && each.name);

	return nearer.length === 1 ? nearer[0] : undefined;
}

/* In one line. A subject that the place's name has already is not said again. */
export function troubleWords(trouble: Trouble, placeName: string): string {
	const { title, seen, subjects } = trouble;
	const named = subjects.filter((subject) => subject && !placeName.includes(subject));

	if (subjects.length > 1) return `${title}: ${named.join(", ")}`;
	return [named[0] ? `${title}, ${named[0]}` : title, seen[0]].filter(Boolean).join(": ");
}

/* What the box of the world says: how many domains, and those that one looks at first. */
export interface World {
	domains: number;
	up: number;
	failing: number;
	first: Peer[];
}

export type PeerHealth = "up" | "failing" | "waiting" | "idle";

export function peerHealth(peer: Peer): PeerHealth {
	if (peer.failure) return "failing";
	if (peer.out === "ready" || peer.in === "ready") return "up";
	return peer.waiting > 0 || peer.out === "connecting" || peer.out === "waiting"
		? "waiting"
		: "idle";
}

const FIRST: PeerHealth[] = ["failing", "waiting", "up", "idle"];

export function worldOf(peers: Peer[], most: number): World {
	const healths = peers.map((peer) => ({ peer, health: peerHealth(peer) }));
	const count = (health: PeerHealth) =>
		healths.filter((each) => each.health === health).length;
	const order = [...healths].sort(
		(a, b) =>
			FIRST.indexOf(a.health) - FIRST.indexOf(b.health) ||
			Number(b.peer.stanzas) - Number(a.peer.stanzas),
	);

	return {
		domains: peers.length,
		up: count("up"),
		failing: count("failing"),
		first: order.slice(0, most).map((each) => each.peer),
	};
}
