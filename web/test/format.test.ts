import assert from "node:assert/strict";
import test from "node:test";

import { formatDistance } from "../src/format";
import { language } from "../src/preferences";

const NOW = 1764000000000;

test("a distance is told in the largest unit that it fills", () => {
	language.value = "en";
	assert.equal(formatDistance(NOW - 3000, NOW), "3 seconds ago");
	assert.equal(formatDistance(NOW - 59 * 60000, NOW), "59 minutes ago");
	assert.equal(formatDistance(NOW - 25 * 3600000, NOW), "yesterday");
	assert.equal(formatDistance(NOW + 2 * 86400000, NOW), "in 2 days");
	assert.equal(formatDistance(NOW, NOW), "now");
});

test("and in German", () => {
	language.value = "de";
	assert.equal(formatDistance(NOW - 5 * 60000, NOW), "vor 5 Minuten");
	language.value = "en";
});
