/* The live map: what each role knows, where it is broken, and where the boxes stand. */
import assert from "node:assert/strict";
import test from "node:test";

import type { Alarm, Link, Peer, Role, Status, Tunnel } from "../src/live/data";
import { layoutOf } from "../src/live/map_layout";
import { mapOf, nearerThan, troubleWords, worldOf, type MapModel } from "../src/live/map_model";

function status(name: string, role: Role, more: Partial<Status> = {}): Status {
	return {
		node: { name, role },
		verdict: "",
		wrong: [],
		warnings: [],
		silent: [],
		processes: [],
		links: [],
		tunnels: [],
		attachments: [],
		home_servers: [],
		realms: [],
		domains: [],
		levels: [],
		captures: [],
		alarms: [],
		others: {},
		counters: {},
		settings: {},
		...more,
	};
}

function link(node: string, role: Role, state = "up", more: Partial<Link> = {}): Link {
	return {
		node,
		role,
		state,
		direction: "out",
		unsettled: 0,
		seconds: 9,
		why: state === "up" ? "" : "connection refused",
		realms: "",
		address: "",
		...more,
	};
}

function tunnel(node: string, role: Role, state = "up"): Tunnel {
	return { node, role, state, direction: "out", seconds: 9, why: "", heard_ms: 100 };
}

function alarm(number: number, subject: string, severity = "error"): Alarm {
	return { number, severity, title: "Trouble", subject, seen: "this was seen" };
}

const place = (map: MapModel, id: string) => map.places.find((each) => each.id === id);
const hop = (map: MapModel, outer: string, inner: string) =>
	map.hops.find((each) => each.outer === outer && each.inner === inner);

const edge = (more: Partial<Status> = {}) =>
	status("edge-a", "edge", {
		links: [link("core-a", "core")],
		tunnels: [tunnel("core-a", "core")],
		others: { "core-a": { node: "core-a", role: "core", alarms: [] } },
		...more,
	});

const core = (more: Partial<Status> = {}) =>
	status("core-a", "core", {
		links: [link("edge-a", "edge"), link("home-a", "home")],
		tunnels: [tunnel("edge-a", "edge"), tunnel("home-a", "home")],
		home_servers: [
			{ name: "home-a", address: "", state: "ready", trouble: "well", why: "" },
		],
		others: {
			"edge-a": { node: "edge-a", role: "edge", alarms: [] },
			"home-a": { node: "home-a", role: "home", alarms: [] },
		},
		...more,
	});

test("an edge sees the world and its core, and says that it does not see what is behind", () => {
	const map = mapOf(edge());
	assert.equal(place(map, "world")?.health, "well");
	assert.equal(hop(map, "world", "node:edge-a")?.health, "well");
	assert.equal(hop(map, "node:edge-a", "node:core-a")?.health, "well");
	assert.equal(hop(map, "node:core-a", "beyond:home")?.health, "unseen");
	assert.equal(hop(map, "beyond:home", "beyond:server")?.health, "unseen");
});

test("a core sees both sides and knows the rest by what they told", () => {
	const map = mapOf(core());
	assert.equal(hop(map, "world", "node:edge-a")?.health, "well");
	assert.equal(hop(map, "node:edge-a", "node:core-a")?.health, "well");
	assert.equal(hop(map, "node:core-a", "node:home-a")?.health, "well");
	assert.equal(hop(map, "node:home-a", "server:home-a:")?.health, "well");
	assert.ok(place(map, "node:core-a")?.self);
});

test("a home node sees the edges that its table names, and which of them are linked", () => {
	const map = mapOf(
		status("home-a", "home", {
			links: [link("core-a", "core", "up", { realms: "edge-a" })],
			attachments: [
				{
					name: "users",
					state: "ready",
					unsettled: 0,
					why: "",
					federates: "no",
				},
			],
			realms: [
				{ name: "edge-a", table: "both", link: "linked" },
				{ name: "edge-b", table: "both", link: "not-linked" },
			],
		}),
	);
	assert.equal(hop(map, "node:edge-a", "node:core-a")?.health, "well");
	assert.equal(hop(map, "node:edge-b", "node:core-a")?.health, "broken");
	assert.equal(hop(map, "node:home-a", "server:home-a:users")?.health, "well");
	assert.equal(place(map, "world")?.health, "unseen");
});

test("a small site has neither core nor home", () => {
	const map = mapOf(
		status("edge-a", "edge", {
			attachments: [
				{
					name: "users",
					state: "down",
					unsettled: 4,
					why: "refused",
					federates: "no",
				},
			],
		}),
	);
	assert.deepEqual(map.places.map((each) => each.column).sort(), ["edge", "server", "world"]);
	assert.equal(hop(map, "node:edge-a", "server:edge-a:users")?.health, "broken");
});

const places: { alarm: Alarm; outer: string; inner: string }[] = [
	{ alarm: alarm(90001, "home-a"), outer: "node:core-a", inner: "node:home-a" },
	{ alarm: alarm(35013, "edge-a"), outer: "node:edge-a", inner: "node:core-a" },
	{ alarm: alarm(25023, "home-a"), outer: "node:core-a", inner: "node:home-a" },
];

test("what is too far away to be seen is said to be behind the node that is nearer", () => {
	const map = mapOf(edge());
	const home = place(map, "beyond:home");
	assert.ok(home?.beyond);
	assert.equal(home && nearerThan(map, home)?.name, "core-a");
	const server = place(map, "beyond:server");
	assert.equal(server && nearerThan(map, server), undefined);
	const world = place(mapOf(core()), "world");
	assert.equal(world && nearerThan(mapOf(core()), world)?.name, "edge-a");
});

test("an alarm about another node stands at the hop between both, with its number", () => {
	for (const row of places) {
		const map = mapOf(core({ alarms: [row.alarm] }));
		const spot = hop(map, row.outer, row.inner);
		assert.equal(spot?.health, "broken");
		assert.equal(spot?.trouble[0]?.alarm?.number, row.alarm.number);
		assert.equal(map.hops.filter((each) => each.health === "broken").length, 1);
	}
});

test("any other alarm stands at the node that raised it", () => {
	const map = mapOf(core({ alarms: [alarm(90010, "", "error")] }));
	assert.equal(place(map, "node:core-a")?.health, "broken");
	assert.ok(map.hops.every((each) => each.health === "well"));
});

test("what another node told stands at that node, and names it", () => {
	const told = (number: number) =>
		mapOf(
			core({
				others: {
					"edge-a": { role: "edge", alarms: [] },
					"home-a": {
						role: "home",
						alarms: [alarm(number, "users")],
					},
				},
			}),
		);
	const spot = hop(told(90002), "node:home-a", "server:home-a:");
	assert.equal(spot?.health, "broken");
	assert.equal(spot?.trouble[0]?.alarm?.node, "home-a");
	assert.equal(place(told(90002), "server:home-a:")?.health, "unseen");
	assert.equal(place(told(15021), "node:home-a")?.health, "broken");
});

test("a warning does not look like something broken", () => {
	const map = mapOf(edge({ alarms: [alarm(25019, "network.axl", "warning")] }));
	assert.equal(place(map, "node:edge-a")?.health, "warned");
});

test("a link that is down is broken at once, before its alarm is raised, and says why", () => {
	const map = mapOf(edge({ links: [link("core-a", "core", "dialling")] }));
	const spot = hop(map, "node:edge-a", "node:core-a");
	assert.equal(spot?.health, "broken");
	assert.deepEqual(spot?.trouble, [{ title: "connection refused", seen: [], subjects: [] }]);
});

test("with its alarm the trouble of a link is said once", () => {
	const map = mapOf(
		edge({ links: [link("core-a", "core", "down")], alarms: [alarm(90001, "core-a")] }),
	);
	assert.equal(hop(map, "node:edge-a", "node:core-a")?.trouble.length, 1);
});

test("an alarm of several subjects is said once, with all of them", () => {
	const verbose = ["network.axl", "network.dns"].map((module) =>
		alarm(25019, module, "warning"),
	);
	const trouble = place(mapOf(core({ alarms: verbose })), "node:core-a")?.trouble ?? [];
	assert.equal(trouble.length, 1);
	assert.equal(
		trouble[0] && troubleWords(trouble[0], "core-a"),
		"Trouble: network.axl, network.dns",
	);
});

test("what the place is called is not said again as the alarm's subject", () => {
	const spot = hop(
		mapOf(core({ alarms: [alarm(90001, "home-a")] })),
		"node:core-a",
		"node:home-a",
	);
	const words = spot?.trouble[0] && troubleWords(spot.trouble[0], "core-a – home-a");
	assert.equal(words, "Trouble: this was seen");
	assert.equal(
		spot?.trouble[0] && troubleWords(spot.trouble[0], "elsewhere"),
		"Trouble, home-a: this was seen",
	);
});

function peer(domain: string, more: Partial<Peer> = {}): Peer {
	return {
		domain,
		out: "none",
		in: "none",
		waiting: 0,
		retry_seconds: "",
		failure: "",
		failed_seconds: "",
		why: "",
		stanzas: 0,
		...more,
	};
}

test("of the world's domains those that fail come first, then the busiest", () => {
	const world = worldOf(
		[
			peer("idle.example"),
			peer("few.example", { out: "ready", stanzas: 3 }),
			peer("many.example", { in: "ready", stanzas: 900 }),
			peer("bad.example", { out: "waiting", failure: "tcp-timeout" }),
		],
		3,
	);
	assert.deepEqual(
		world.first.map((each) => each.domain),
		["bad.example", "many.example", "few.example"],
	);
	assert.deepEqual([world.domains, world.up, world.failing], [4, 2, 1]);
});

const sizes = (vertical: boolean) => ({
	box: { width: 150, height: 60 },
	gap: { along: 50, across: 20 },
	most: 3,
	vertical,
	moreSpace: 30,
});

test("boxes lie within the picture and on no other box, in both directions", () => {
	const many = core({
		links: ["home-a", "home-b", "home-c", "home-d", "home-e"].map((name) =>
			link(name, "home", name === "home-e" ? "down" : "up"),
		),
	});
	for (const vertical of [false, true]) {
		const layout = layoutOf(mapOf(many), sizes(vertical));
		for (const box of layout.boxes) {
			assert.ok(box.x >= 0 && box.x + box.width <= layout.width);
			assert.ok(box.y >= 0 && box.y + box.height <= layout.height);
			for (const other of layout.boxes) {
				assert.ok(
					other === box ||
						other.x >= box.x + box.width ||
						box.x >= other.x + other.width ||
						other.y >= box.y + box.height ||
						box.y >= other.y + other.height,
				);
			}
		}
	}
});

test("of too many places the worst are drawn, and the others counted", () => {
	const many = core({
		links: ["home-a", "home-b", "home-c", "home-d", "home-e"].map((name) =>
			link(name, "home", name === "home-e" ? "down" : "up"),
		),
		alarms: [alarm(90010, "")],
		others: { "home-e": { role: "home", alarms: [alarm(90010, "")] } },
	});
	const layout = layoutOf(mapOf(many), sizes(false));
	const homes = layout.boxes.filter((box) => box.place.column === "home");
	assert.equal(homes.length, 3);
	assert.equal(homes[0]?.place.name, "home-e");
	assert.equal(layout.more.find((each) => each.column === "home")?.count, 2);
});
