import assert from "node:assert/strict";
import test from "node:test";

import { href, matchPath, parsePlace } from "../src/router";

test("an empty address is the first page", () => {
	assert.equal(parsePlace("").path, "/");
	assert.equal(parsePlace("#").path, "/");
	assert.equal(parsePlace("#streams").path, "/streams");
});

test("what stands behind the question mark is the query", () => {
	const place = parsePlace("#/log?domain=example.net&level=info");
	assert.equal(place.path, "/log");
	assert.equal(place.query.get("domain"), "example.net");
	assert.equal(place.query.get("level"), "info");
});

test("a pattern gives its parameters, decoded", () => {
	assert.deepEqual(matchPath("/why/:domain", "/why/b%C3%BCcher.example"), {
		domain: "bücher.example",
	});
	assert.deepEqual(matchPath("/why/:domain", "/why/%E0%A4%A"), { domain: "%E0%A4%A" });
});

test("a pattern fits only as a whole", () => {
	assert.equal(matchPath("/why/:domain", "/why"), null);
	assert.equal(matchPath("/why/:domain", "/why/"), null);
	assert.equal(matchPath("/why/:domain", "/why/a/b"), null);
	assert.equal(matchPath("/why", "/whynot"), null);
	assert.deepEqual(matchPath("/why", "/why/"), {});
});

test("what a link is made of is found again", () => {
	const domain = "a/b?c#d e&f.example";
	const place = parsePlace(href("/why/:domain", { domain }, { text: "x&y" }));
	assert.deepEqual(matchPath("/why/:domain", place.path), { domain });
	assert.equal(place.query.get("text"), "x&y");
});
