/* How the node is asked. */
import assert from "node:assert/strict";
import test from "node:test";

import { get } from "../src/api";

test("what the page asks by itself is marked, and nothing else is", async () => {
	const marks: (string | null)[] = [];
	globalThis.fetch = async (_, init) => {
		marks.push(new Headers(init?.headers).get("X-Sallyport-Background"));
		return new Response("{}");
	};
	await get("status");
	await get("status", undefined, true);
	assert.deepEqual(marks, [null, "1"]);
});
