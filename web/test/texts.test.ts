/* The table of texts: complete in both languages, with the same values in both. */
import assert from "node:assert/strict";
import test from "node:test";

import { language } from "../src/preferences";
import { type Key, fill, t, tables } from "../src/texts";

const keys = Object.keys(tables.en) as Key[];

function valuesOf(text: string): string[] {
	return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

test("both languages have the same texts", () => {
	assert.deepEqual(Object.keys(tables.de).sort(), Object.keys(tables.en).sort());
});

test("no text is empty", () => {
	for (const key of keys)
		for (const table of [tables.en, tables.de])
			assert.notEqual(table[key].trim(), "", key);
});

test("a text takes the same values in both languages", () => {
	for (const key of keys)
		assert.deepEqual(valuesOf(tables.de[key]), valuesOf(tables.en[key]), key);
});

test("commands stand between the same marks in both languages", () => {
	const commands = (text: string) => text.match(/`[^`]*`/g) ?? [];
	for (const key of keys)
		assert.deepEqual(commands(tables.de[key]), commands(tables.en[key]), key);
});

test("the language decides which text is shown, and values stand in it", () => {
	language.value = "en";
	assert.equal(t("verdict.wrong", { count: 3 }), "3 things are wrong");
	language.value = "de";
	assert.equal(t("verdict.wrong", { count: 3 }), "3 Fehler");
	language.value = "en";
});

test("a value is not read as a place for another", () => {
	assert.equal(fill("{a} {b}", { a: "{b}", b: "$&" }), "{b} $&");
});
