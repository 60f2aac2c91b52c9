/* Settings: what is typed, what a dry run says, lists that are edited, the history. */
import assert from "node:assert/strict";
import test from "node:test";

import { mergePreviews, readPreview } from "../src/config/dry_run";
import { findRevisions, readHistory } from "../src/config/history_text";
import {
	domainsOf,
	draftOf,
	entriesAfter,
	isChanged,
	withAdded,
	withRemoved,
} from "../src/config/list_draft";
import { readTyped } from "../src/config/setting_input";
import {
	type Setting,
	entriesOf,
	findSettings,
	hasSecretField,
	isDefault,
	isList,
	settingsOf,
	wordsOf,
} from "../src/config/settings";

function setting(name: string, more: Partial<Setting> = {}): Setting {
	return {
		name,
		value: null,
		default: null,
		kind: "text",
		effect: "at once",
		internal: false,
		help: "",
		...more,
	};
}

test("a value becomes the words that `config set` takes", () => {
	assert.deepEqual(wordsOf(true), ["on"]);
	assert.deepEqual(wordsOf(false), ["off"]);
	assert.deepEqual(wordsOf(60), ["60"]);
	assert.deepEqual(wordsOf(null), []);
	assert.deepEqual(wordsOf(["a.example", "b.example"]), ["a.example", "b.example"]);
	assert.deepEqual(wordsOf([{ domain: "a.example", federated: true, node: "home-a" }]), [
		"a.example on home-a",
	]);
	assert.deepEqual(wordsOf([{ domain: "a.example", federated: false, node: "" }]), [
		"a.example off",
	]);
});

test("settings come as a list or in an object", () => {
	const list = [setting("a")];
	assert.equal(settingsOf(list), list);
	assert.equal(settingsOf({ settings: list }), list);
});

test("an entry a line, spaces around and empty lines are nothing", () => {
	assert.deepEqual(entriesOf("  a.example   on \n\n b.example off\t\n"), [
		"a.example on",
		"b.example off",
	]);
	assert.deepEqual(entriesOf(" \n"), []);
});

test("an empty list is a list, and a text that is not set is none", () => {
	assert.equal(isList(setting("dns.servers", { value: [], default: [] })), true);
	assert.equal(
		isList(setting("domains", { kind: "records", value: [], default: [] })),
		false,
	);
	assert.equal(isList(setting("tls.trust")), false);
});

test("a number is held against its limits as it is typed", () => {
	const depth = setting("limits.depth", { kind: "integer", least: 4, most: 256, value: 64 });
	assert.deepEqual(readTyped(depth, " 60 "), { words: ["60"] });
	assert.deepEqual(readTyped(depth, "3"), { wrong: "out-of", least: 4, most: 256 });
	assert.deepEqual(readTyped(depth, "257"), { wrong: "out-of", least: 4, most: 256 });
	for (const text of ["", "6e1", "0x40", "6 0", "1.5"])
		assert.deepEqual(readTyped(depth, text), { wrong: "not-number" }, text);
});

test("a secret is taken as it was typed, and never empty", () => {
	const secret = setting("federation.dialback_secret", { kind: "secret" });
	assert.deepEqual(readTyped(secret, " with spaces "), { words: [" with spaces "] });
	assert.deepEqual(readTyped(secret, "  "), { wrong: "empty" });
});

test("no line in a list is the empty list", () => {
	const list = setting("federation.allow_list", { value: ["a.example"], default: [] });
	assert.deepEqual(readTyped(list, "\n"), { words: [] });
});

test("records with a secret are known by their fields", () => {
	const field = { name: "password", kind: "secret" as const, optional: false };
	assert.equal(hasSecretField(setting("home_servers", { fields: [field] })), true);
	assert.equal(hasSecretField(setting("domains", { fields: [] })), false);
	assert.equal(hasSecretField(setting("limits.depth")), false);
});

test("a search finds all its words in name, help and value", () => {
	const list = [
		setting("limits.depth", { help: "deepest nesting", value: 64 }),
		setting("dns.servers", { help: "resolvers to ask", value: ["192.0.2.53"] }),
	];
	const names = (text: string) => findSettings(list, text).map((found) => found.name);
	assert.deepEqual(names("NESTING limits"), ["limits.depth"]);
	assert.deepEqual(names("192.0.2"), ["dns.servers"]);
	assert.deepEqual(names("nesting servers"), []);
	assert.deepEqual(names(" "), ["limits.depth", "dns.servers"]);
});

test("a setting at its default is known, whatever its form", () => {
	assert.equal(isDefault(setting("a", { value: [], default: [] })), true);
	assert.equal(isDefault(setting("a", { value: ["x"], default: [] })), false);
	assert.equal(isDefault(setting("a", { value: { secret: "0a" } })), false);
});

const OFF = `- federation.enabled = on
+ federation.enabled = off
federation.enabled: in force at once, for what is open too
no process and no service is restarted
closes 2 of 4 streams
closes stream DC4365EA2 from far.example to home.example (in): federation-off
closes stream 99C0EA31A from home.example to far.example (out): federation-off
bounces 1 stanza that waits`;

test("a dry run is taken apart: what changes, what it does, whom it cuts off", () => {
	const preview = readPreview(OFF);
	assert.deepEqual(
		preview.differences.map(({ sign, text }) => sign + text),
		["-federation.enabled = on", "+federation.enabled = off"],
	);
	assert.equal(preview.effects.length, 2);
	assert.equal(preview.closing, 2);
	assert.equal(preview.closes.length, 3);
	assert.equal(preview.nothing, false);
});

test("a dry run that closes nothing or changes nothing says so", () => {
	assert.equal(readPreview("closes no stream").closing, 0);
	assert.equal(readPreview("closes 1 of 1 stream").closing, 1);
	assert.equal(readPreview("nothing to change\n").nothing, true);
});

test("several dry runs say each sentence and each stream once", () => {
	const mode = OFF.replaceAll("federation-off", "on-deny-list").replaceAll(
		"enabled",
		"privacy_mode",
	);
	const merged = mergePreviews([readPreview(OFF), readPreview(mode)]);
	assert.equal(merged.differences.length, 4);
	assert.equal(merged.effects.length, 3);
	assert.equal(merged.closing, 2);
	assert.equal(merged.closes.filter((line) => line.startsWith("closes stream")).length, 2);
	assert.equal(
		mergePreviews([readPreview("nothing to change"), readPreview(OFF)]).nothing,
		false,
	);
});

test("a list knows what comes and what goes, and takes both back", () => {
	let draft = draftOf(["a.example", "b.example"]);
	draft = withAdded(draft, ["c.example", "a.example", "c.example"]);
	assert.deepEqual(draft.added, ["c.example"]);
	draft = withRemoved(draft, "a.example");
	assert.deepEqual(entriesAfter(draft), ["b.example", "c.example"]);
	draft = withRemoved(withAdded(draft, ["a.example"]), "c.example");
	assert.equal(isChanged(draft), false);
	assert.deepEqual(entriesAfter(draft), ["a.example", "b.example"]);
});

test("domains may stand with anything between them", () => {
	assert.deepEqual(domainsOf(" A.example, b.example;c.example\nd.example "), [
		"a.example",
		"b.example",
		"c.example",
		"d.example",
	]);
});

const HISTORY = `9 2026-11-24T12:55:25Z root: federation.dialback_secret from (not set) to (set, fingerprint 56595eeb)
9 2026-11-24T12:55:25Z root: federation.dialback_secret_previous from (not set) to (set, fingerprint 939fb240)
8 2026-11-24T12:55:24Z olga from 192.0.2.7: dns.servers from (none) to 2001:db8::53
`;

test("the history puts the lines of a revision together", () => {
	const [ninth, eighth, ...rest] = readHistory(HISTORY);
	assert.equal(rest.length, 0);
	assert.equal(ninth?.number, 9);
	assert.equal(ninth?.changes.length, 2);
	assert.deepEqual(eighth, {
		number: 8,
		time: "2026-11-24T12:55:24Z",
		author: "olga from 192.0.2.7",
		changes: [{ name: "dns.servers", text: "from (none) to 2001:db8::53" }],
	});
});

test("the history is searched by author, setting and value", () => {
	const revisions = readHistory(HISTORY);
	assert.deepEqual(
		findRevisions(revisions, "olga dns").map((found) => found.number),
		[8],
	);
	assert.deepEqual(
		findRevisions(revisions, "56595EEB").map((found) => found.number),
		[9],
	);
	assert.equal(findRevisions(revisions, "").length, 2);
});
