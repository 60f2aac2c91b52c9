/* The live map as a picture, in its true size. What it shows stands in words beside it. */
import { language } from "../preferences";
import { t } from "../texts";
import { perSecond } from "./figures";
import type { Flow } from "./flow";
import type { Box, Layout, Line, More } from "./map_layout";
import type { Health, Hop, MapModel, Place, World } from "./map_model";
import { placeName, stateWord, troubleHref } from "./map_words";

const LETTER = { name: 7.6, word: 6.6 }; /* how wide one is, in fonts that are rather wide */

function cut(text: string, width: number, letter = LETTER.word): string {
	const fit = Math.floor(width / letter);
	return text.length > fit ? `${text.slice(0, Math.max(1, fit - 1))}…` : text;
}

/* The mark of a health, 16 by 16, drawn around a point. Shapes as the badges have them. */
function Mark({ health, x, y }: { health: Health; x: number; y: number }) {
	return (
		<g class={`map-mark ${health}`} transform={`translate(${x - 8} ${y - 8})`}>
			{health === "well" && (
				<>
					<circle cx="8" cy="8" r="6" class="body" />
					<path d="m5.2 8.2 2 2 3.6-4" class="sign" />
				</>
			)}
			{health === "warned" && (
				<>
					<path d="M8 1.8 15 14H1Z" class="body" />
					<path d="M8 6v4m0 1.6v.6" class="sign" />
				</>
			)}
			{health === "broken" && (
				<>
					<path
						d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2Z"
						class="body"
					/>
					<path d="m5.5 5.5 5 5m0-5-5 5" class="sign" />
				</>
			)}
			{health === "unseen" && <circle cx="8" cy="8" r="5.5" class="ring" />}
		</g>
	);
}

function details(place: Place, world: World | null): string {
	if (place.column === "world" && world)
		return world.domains === 1
			? t("map.domains-one")
			: t("map.domains", { count: world.domains });
	if (place.self) return t("map.this-node");
	return place.name ? t(`map.column-${place.column}`) : "";
}

function PlaceBox({ model, box, world }: { model: MapModel; box: Box; world: World | null }) {
	const { place, x, y, width, height } = box;
	const failing = place.column === "world" && world !== null && world.failing > 0;
	const health = failing && place.health === "well" ? "warned" : place.health;
	const word = failing ? t("map.failing", { count: world.failing }) : stateWord(model, place);
	const look = place.beyond ? "beyond" : health;
	const room = width - 24;
	return (
		<g class={`map-place ${look}${place.self ? " self" : ""}`}>
			<rect x={x + 1} y={y + 1} width={width - 2} height={height - 2} rx="4" />
			<text x={x + 12} y={y + 22} class="name">
				{cut(placeName(place), room, LETTER.name)}
			</text>
			<text x={x + 12} y={y + 40} class="kind">
				{cut(details(place, world), room)}
			</text>
			<Mark health={health} x={x + 20} y={y + 57} />
			<text x={x + 34} y={y + 61} class="word">
				{cut(word, room - 22)}
			</text>
		</g>
	);
}

interface Rates {
	in: string;
	out: string;
}

/* Broken: a gap with the mark in it. With a flow: dashes that move, and its figures. */
function HopLine({
	line,
	hop,
	rates,
	vertical,
}: {
	line: Line;
	hop: Hop;
	rates: Rates | null;
	vertical: boolean;
}) {
	const { x1, y1, x2, y2, health } = line;
	const middle = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
	const target = hop.trouble[0] ? troubleHref(hop.trouble[0]) : null;
	const marked = health === "broken" || health === "warned";
	const mark = marked && (
		<g>
			<circle cx={middle.x} cy={middle.y} r="11" class="map-gap" />
			<Mark health={health} x={middle.x} y={middle.y} />
		</g>
	);
	return (
		<g class={`map-hop ${health}`}>
			<line x1={x1} y1={y1} x2={x2} y2={y2} />
			{rates && !marked && (
				<>
					<line x1={x1} y1={y1} x2={x2} y2={y2} class="flow" />
					<text
						class="rate"
						x={vertical ? middle.x + 10 : middle.x}
						y={vertical ? middle.y - 2 : middle.y - 7}
						text-anchor={vertical ? "start" : "middle"}
					>
						{vertical ? `↓ ${rates.in}` : `→ ${rates.in}`}
					</text>
					<text
						class="rate"
						x={vertical ? middle.x + 10 : middle.x}
						y={vertical ? middle.y + 13 : middle.y + 17}
						text-anchor={vertical ? "start" : "middle"}
					>
						{vertical ? `↑ ${rates.out}` : `← ${rates.out}`}
					</text>
				</>
			)}
			{mark && target ? (
				<a href={target} tabindex={-1}>
					{mark}
				</a>
			) : (
				mark
			)}
		</g>
	);
}

function MoreWords({ more }: { more: More }) {
	return (
		<g class="map-more">
			<Mark health={more.health} x={more.x - 44} y={more.y} />
			<text x={more.x - 32} y={more.y + 4}>
				{t("map.more", { count: more.count })}
			</text>
		</g>
	);
}

/* Only where all stanzas must pass: a hop without another beside it. */
function ratesOf(model: MapModel, hop: Hop, flow: Flow): Rates | null {
	const column = (id: string) => model.places.find((place) => place.id === id)?.column;
	const beside = model.hops.filter(
		(other) => column(other.outer) === column(hop.outer) && other.health !== "unseen",
	);
	const self = model.places.find((place) => place.self)?.id;

	if (flow.in === null || flow.out === null || hop.health === "unseen") return null;
	if (beside.length !== 1 || (hop.outer !== self && hop.inner !== self)) return null;
	return {
		in: t("map.rate", { rate: perSecond(flow.in, language.value) }),
		out: t("map.rate", { rate: perSecond(flow.out, language.value) }),
	};
}

export function Picture({
	model,
	layout,
	vertical,
	world,
	flow,
}: {
	model: MapModel;
	layout: Layout;
	vertical: boolean;
	world: World | null;
	flow: Flow;
}) {
	const { width, height } = layout;
	return (
		<svg
			class="map"
			width={width}
			height={height}
			viewBox={`0 0 ${width} ${height}`}
			aria-hidden="true"
			focusable="false"
		>
			{layout.lines.map((line) => {
				const hop = model.hops.find((each) => each.id === line.id);
				return (
					hop && (
						<HopLine
							key={line.id}
							line={line}
							hop={hop}
							rates={ratesOf(model, hop, flow)}
							vertical={vertical}
						/>
					)
				);
			})}
			{layout.boxes.map((box) => (
				<PlaceBox
					key={box.place.id}
					model={model}
					box={box}
					world={world}
				/>
			))}
			{layout.more.map((more) => (
				<MoreWords key={more.column} more={more} />
			))}
		</svg>
	);
}
