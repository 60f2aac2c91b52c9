/*
 * Where the map's boxes stand: columns from the world to the users, side by side, or below each
 * other where there is no room. Columns without a place are left out. Pure geometry.
 */
import { COLUMNS, type Column, type Health, type MapModel, type Place } from "./map_model";

export interface Box {
	place: Place;
	x: number;
	y: number;
	width: number;
	height: number;
}

/* Places of a column that are not drawn, and the worst of their healths. */
export interface More {
	column: Column;
	count: number;
	health: Health;
	x: number;
	y: number;
}

export interface Line {
	id: string;
	health: Health;
	x1: number;
	y1: number;
	x2: number;
	y2: number;
}

export interface Layout {
	width: number;
	height: number;
	boxes: Box[];
	more: More[];
	lines: Line[];
	columns: Column[];
}

export interface Sizes {
	box: { width: number; height: number };
	gap: { along: number; across: number }; /* between columns, between boxes of one */
	most: number; /* boxes of a column */
	vertical: boolean;
	moreSpace: number; /* for the words that stand for those not drawn */
}

const WORST: Health[] = ["broken", "warned", "unseen", "well"];

/* Ourselves, then the worst, then by name. */
function inOrder(places: Place[]): Place[] {
	return [...places].sort(
		(a, b) =>
			Number(b.self) - Number(a.self) ||
			WORST.indexOf(a.health) - WORST.indexOf(b.health) ||
			(a.name < b.name ? -1 : 1),
	);
}

function worstOf(places: Place[]): Health {
	return WORST.find((health) => places.some((place) => place.health === health)) ?? "well";
}

export function layoutOf(model: MapModel, sizes: Sizes): Layout {
	const { box, gap, most, vertical, moreSpace } = sizes;
	const columns = COLUMNS.filter((name) =>
		model.places.some((place) => place.column === name),
	);
	const lists = columns.map((name) =>
		inOrder(model.places.filter((place) => place.column === name)),
	);
	const along = vertical ? box.height : box.width;
	const across = vertical ? box.width : box.height;
	const acrossOf = (count: number) => count * across + (count - 1) * gap.across;
	const widest = Math.max(...lists.map((list) => acrossOf(Math.min(most, list.length))));
	const hasMore = lists.some((list) => list.length > most);
	const boxes: Box[] = [];
	const more: More[] = [];

	lists.forEach((list, c) => {
		const shown = list.slice(0, most);
		const rest = list.slice(most);
		const start = (widest - acrossOf(shown.length)) / 2;
		const main = c * (along + gap.along);
		shown.forEach((place, i) => {
			const side = start + i * (across + gap.across);
			boxes.push({
				place,
				x: vertical ? side : main,
				y: vertical ? main : side,
				width: box.width,
				height: box.height,
			});
		});
		const column = columns[c];
		if (rest.length > 0 && column) {
			more.push({
				column,
				count: rest.length,
				health: worstOf(rest),
				x: (vertical ? widest : main + along) - (vertical ? 0 : along / 2),
				y: vertical ? main + along + moreSpace / 2 : widest + moreSpace / 2,
			});
		}
	});
	const length = columns.length * along + (columns.length - 1) * gap.along;
	return {
		width: vertical ? widest : length,
		height: (vertical ? length : widest) + (hasMore ? moreSpace : 0),
		boxes,
		more,
		lines: linesOf(model, boxes, vertical),
		columns,
	};
}

function linesOf(model: MapModel, boxes: Box[], vertical: boolean): Line[] {
	const at = new Map(boxes.map((box) => [box.place.id, box]));

	return model.hops.flatMap((hop) => {
		const outer = at.get(hop.outer);
		const inner = at.get(hop.inner);
		if (!outer || !inner) return [];
		const line = { id: hop.id, health: hop.health };
		return vertical
			? [
					{
						...line,
						x1: outer.x + outer.width / 2,
						y1: outer.y + outer.height,
						x2: inner.x + inner.width / 2,
						y2: inner.y,
					},
				]
			: [
					{
						...line,
						x1: outer.x + outer.width,
						y1: outer.y + outer.height / 2,
						x2: inner.x,
						y2: inner.y + inner.height / 2,
					},
				];
	});
}
