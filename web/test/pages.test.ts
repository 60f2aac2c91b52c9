/* The table of pages: every one is found by its path, and is named in both languages. */
import assert from "node:assert/strict";
import test from "node:test";

import { findPage, pages } from "../src/pages";
import { href, parsePlace } from "../src/router";
import { tables } from "../src/texts";

test("no two pages have one path", () => {
	const paths = pages.map((page) => page.path);
	assert.equal(new Set(paths).size, paths.length);
});

test("a page is found by its own link, with what stands in it", () => {
	for (const page of pages) {
		const place = parsePlace(href(page.path, { domain: "far.example" }));
		const found = findPage(place.path);
		assert.equal(found?.page, page, page.path);
		assert.deepEqual(
			found?.parameters,
			page.path.includes(":domain") ? { domain: "far.example" } : {},
		);
	}
	assert.equal(findPage("/nonsense"), null);
});

test("pages of the menu that one node has are named differently", () => {
	for (const role of ["edge", "core", "home"] as const) {
		const shown = pages.filter((page) => page.group && (page.roles?.includes(role) ?? true));
		for (const table of [tables.en, tables.de]) {
			const names = shown.map((page) => table[page.title]);
			assert.equal(new Set(names).size, names.length, role);
		}
	}
});

test("settings are never open to who may only look", () => {
	for (const page of pages)
		if (page.path.startsWith("/config/") && page.path !== "/config/im-presence")
			assert.notEqual(page.access, "view", page.path);
	assert.equal(findPage("/accounts")?.page.access, "admin");
});
