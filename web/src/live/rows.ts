/*
 * Many rows: searched, sorted and shown a window at a time, so that 10,000 cost what 50 do. Pure.
 */

export type Cell = string | number | "" | null | undefined;

export interface Order<Key extends string> {
	key: Key;
	descending: boolean;
}

/* Words between spaces, all of which a row must have; a row's words are in `haystack`. */
export function needles(search: string): string[] {
	return search.toLowerCase().split(/\s+/).filter(Boolean);
}

export function matches(haystack: string, words: string[]): boolean {
	return words.every((word) => haystack.includes(word));
}

/*
 * Numbers before texts and by size, texts without regard to case, empty cells last in either
 * direction. Plain comparison: a collator takes 100 ms for 10,000 domains, this takes 10.
 */
function compareCells(a: Cell, b: Cell): number {
	if (typeof a === "number" && typeof b === "number") return a - b;
	if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
	const left = a ?? "";
	const right = b ?? "";
	return left < right ? -1 : left > right ? 1 : 0;
}

function isEmpty(cell: Cell): boolean {
	return cell === "" || cell === null || cell === undefined;
}

/* A new array; what compares equal stays in its order. */
export function sorted<Row>(
	rows: readonly Row[],
	cellOf: (row: Row) => Cell,
	descending: boolean,
): Row[] {
	const keyed = rows.map((row) => {
		const cell = cellOf(row);
		return { row, cell: typeof cell === "string" ? cell.toLowerCase() : cell };
	});
	const sign = descending ? -1 : 1;

	keyed.sort((a, b) => {
		const emptyA = isEmpty(a.cell);
		const emptyB = isEmpty(b.cell);
		if (emptyA || emptyB) return Number(emptyA) - Number(emptyB);
		return sign * compareCells(a.cell, b.cell);
	});
	return keyed.map((entry) => entry.row);
}

export interface Window {
	first: number;
	end: number; /* one past the last */
	above: number; /* pixels of rows that are not drawn */
	below: number;
}

/* Which rows of a fixed height are worth drawing, with some to spare above and below. */
export function windowOf(
	count: number,
	rowHeight: number,
	scrolled: number,
	height: number,
	spare = 10,
): Window {
	const fit = Math.ceil(height / rowHeight);
	const top = Math.min(
		Math.max(0, Math.floor(scrolled / rowHeight)),
		Math.max(0, count - fit),
	);
	const first = Math.max(0, top - spare);
	const end = Math.min(count, top + fit + spare);

	return { first, end, above: first * rowHeight, below: (count - end) * rowHeight };
}

/* Where a key of the keyboard leads in a grid of rows; null: it means something else. */
export function moved(key: string, at: number, count: number, page: number): number | null {
	const to: Record<string, number> = {
		ArrowDown: at + 1,
		ArrowUp: at - 1,
		PageDown: at + page,
		PageUp: at - page,
		Home: 0,
		End: count - 1,
	};
	const target = to[key];

	if (target === undefined || count === 0) return null;
	return Math.min(Math.max(0, target), count - 1);
}

/* How far to scroll so that row `at` is seen whole; `scrolled` if it is already. */
export function scrollFor(at: number, rowHeight: number, scrolled: number, height: number): number {
	const top = at * rowHeight;

	if (top < scrolled) return top;
	return top + rowHeight > scrolled + height ? top + rowHeight - height : scrolled;
}
