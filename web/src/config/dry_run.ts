/*
 * What `config set --dry-run` and `config restore --dry-run` print, taken apart: lines that begin
 * with - are as it is, those with + as it would be; "closes ..." names whom it cuts off; the rest
 * says what it restarts. Pure.
 */
export interface Difference {
	sign: "-" | "+" | "~";
	text: string;
}

export interface Preview {
	differences: Difference[];
	effects: string[];
	closing: number; /* streams, of which not all need be named */
	closes: string[]; /* those named, one a line, and what bounces */
	nothing: boolean; /* it is so already */
}

export function readPreview(text: string): Preview {
	const preview: Preview = {
		differences: [],
		effects: [],
		closing: 0,
		closes: [],
		nothing: false,
	};

	for (const line of text.split("\n")) {
		const difference = /^([-+~]) (.*)$/.exec(line);
		if (difference)
			preview.differences.push({
				sign: difference[1] as Difference["sign"],
				text: difference[2] ?? "",
			});
		else if (line === "nothing to change") preview.nothing = true;
		else if (/^closes (no|\d+ of \d+) streams?$/.test(line))
			preview.closing = parseInt(line.slice(7)) || 0;
		else if (/^(closes|bounces) /.test(line)) preview.closes.push(line);
		else if (line.trim() !== "") preview.effects.push(line);
	}
	return preview;
}

/* Several changes as one: a sentence that all say is said once, and a stream is closed once. */
export function mergePreviews(previews: Preview[]): Preview {
	const closes = new Map<string, string>();
	for (const line of previews.flatMap((preview) => preview.closes)) {
		const what = line.slice(0, line.lastIndexOf(":"));
		if (!closes.has(what)) closes.set(what, line);
	}
	return {
		differences: previews.flatMap((preview) => preview.differences),
		effects: [...new Set(previews.flatMap((preview) => preview.effects))],
		closing: Math.max(0, ...previews.map((preview) => preview.closing)),
		closes: [...closes.values()],
		nothing: previews.every((preview) => preview.nothing),
	};
}
