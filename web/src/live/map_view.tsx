/*
 * The live map: a picture for the eye, and beside it the same as text for whoever does not see it.
 * The picture is laid out for the width that there is, in its true size, so that its words stay
 * readable; where the places do not fit side by side they stand below each other.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, EmptyState, type State } from "../ui";
import { perSecond } from "./figures";
import type { Flow } from "./flow";
import { layoutOf, type Box, type Layout, type Line, type More, type Sizes } from "./map_layout";
import {
	nearerThan,
	troubleWords,
	type Health,
	type Hop,
	type MapModel,
	type Place,
	type Trouble,
	type World,
} from "./map_model";

const BADGES: Record<Health, State> = {
	well: "ok",
	warned: "warning",
	broken: "bad",
	unseen: "off",
};

const BOX_HEIGHT = 74;
const NARROWEST = 124; /* a box of a row of columns */
const WIDEST = 172;
const GAP = { least: 56, most: 130 };
const LETTER = { name: 7.6, word: 6.6 }; /* how wide one is, in fonts that are rather wide */

export function healthWord(health: Health): string {
	return t(`map.${health}`);
}

/* What a place is called: its name, or what it is. */
export function placeName(place: Place): string {
	return place.name || t(`map.column-${place.column}`);
}

function useWidth() {
	const ref = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(0);

	useEffect(() => {
		const element = ref.current;
		if (!element) return undefined;
		const watcher = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
		watcher.observe(element);
		setWidth(Math.floor(element.clientWidth));
		return () => watcher.disconnect();
	}, []);
	return { ref, width };
}

function sizesFor(model: MapModel, width: number): Sizes {
	const columns = new Set(model.places.map((place) => place.column)).size;
	const side = Math.floor((width - (columns - 1) * GAP.least) / columns);

	if (side >= NARROWEST) {
		const box = Math.min(WIDEST, side);
		const gap = Math.min(GAP.most, Math.floor((width - columns * box) / (columns - 1)));
		return {
			box: { width: box, height: BOX_HEIGHT },
			gap: { along: gap, across: 16 },
			most: 4,
			vertical: false,
			moreSpace: 28,
		};
	}
	const most = Math.max(1, Math.min(3, Math.floor(width / (NARROWEST + 12))));
	const perColumn = new Map<string, number>();
	for (const place of model.places)
		perColumn.set(place.column, (perColumn.get(place.column) ?? 0) + 1);
	const abreast = Math.min(most, Math.max(...perColumn.values()));
	return {
		box: {
			width: Math.min(260, Math.floor((width - (abreast - 1) * 12) / abreast)),
			height: BOX_HEIGHT,
		},
		gap: { along: 46, across: 12 },
		most,
		vertical: true,
		moreSpace: 24,
	};
}

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

/* How a place is; of one that is too far away, behind whom it is. */
function stateWord(model: MapModel, place: Place): string {
	if (!place.beyond) return healthWord(place.health);
	const nearer = nearerThan(model, place);
	return nearer ? t("map.behind", { node: nearer.name }) : t("map.beyond");
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
function HopLine({ line, hop, rates, vertical }: {
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

function Picture({ model, layout, vertical, world, flow }: {
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
				<PlaceBox key={box.place.id} model={model} box={box} world={world} />
			))}
			{layout.more.map((more) => (
				<MoreWords key={more.column} more={more} />
			))}
		</svg>
	);
}

export function troubleHref(trouble: Trouble): string | null {
	const { alarm } = trouble;
	if (!alarm) return null;
	return href("/alarms", {}, { number: String(alarm.number), node: alarm.node });
}

interface Spot {
	key: string;
	name: string;
	word: string;
	health: Health;
	trouble: Trouble[];
}

function spotsOf(model: MapModel): Spot[] {
	const named = new Map(model.places.map((place) => [place.id, placeName(place)]));
	const places = model.places.map((place) => ({
		key: place.id,
		name: placeName(place),
		word: stateWord(model, place),
		health: place.health,
		trouble: place.trouble,
	}));
	const hops = model.hops.map((hop) => ({
		key: hop.id,
		name: t("map.between", {
			outer: named.get(hop.outer) ?? "",
			inner: named.get(hop.inner) ?? "",
		}),
		word: healthWord(hop.health),
		health: hop.health,
		trouble: hop.trouble,
	}));
	return [...places, ...hops];
}

/* What is wrong, linked to its alarm; who says so, if not we. */
function TroubleLine({ trouble, place, self }: {
	trouble: Trouble;
	place: string;
	self: string | undefined;
}) {
	const target = troubleHref(trouble);
	const words = troubleWords(trouble, place);
	const node = trouble.alarm?.node;

	if (!target) return <span>{words}</span>;
	return (
		<>
			<a href={target}>{words}</a>
			{node && node !== self && (
				<span class="muted"> ({t("map.told-by", { node })})</span>
			)}
		</>
	);
}

/* Every alarm at its place, in words, the worst first. */
export function Troubles({ model }: { model: MapModel }) {
	const order: Health[] = ["broken", "warned"];
	const self = model.places.find((place) => place.self)?.name;
	const spots = spotsOf(model)
		.filter((spot) => order.includes(spot.health) && spot.trouble.length > 0)
		.sort((a, b) => order.indexOf(a.health) - order.indexOf(b.health));

	if (spots.length === 0) return <EmptyState title={t("alarms.none")} />;
	return (
		<ul class="map-troubles">
			{spots.map((spot) => (
				<li key={spot.key}>
					<Badge state={BADGES[spot.health]}>{spot.word}</Badge>
					<strong>{spot.name}</strong>
					<ul>
						{spot.trouble.map((trouble) => (
							<li>
								<TroubleLine trouble={trouble} place={spot.name} self={self} />
							</li>
						))}
					</ul>
				</li>
			))}
		</ul>
	);
}

function AsText({ model, world, flow }: { model: MapModel; world: World | null; flow: Flow }) {
	return (
		<div class="visually-hidden">
			<h3>{t("map.as-text")}</h3>
			{flow.in !== null && flow.out !== null && (
				<p>
					{t("map.flow-text", {
						in: perSecond(flow.in, language.value),
						out: perSecond(flow.out, language.value),
					})}
				</p>
			)}
			{world && (
				<p>
					{t("map.world-text", {
						count: world.domains,
						up: world.up,
						failing: world.failing,
					})}
				</p>
			)}
			<ul>
				{spotsOf(model).map((spot) => (
					<li key={spot.key}>
						{spot.name}: {spot.word}
					</li>
				))}
			</ul>
		</div>
	);
}

export function MapView({ model, world, flow }: {
	model: MapModel;
	world: World | null;
	flow: Flow;
}) {
	const { ref, width } = useWidth();
	const sizes = sizesFor(model, width);

	return (
		<div class="map-frame">
			<div ref={ref} class="map-room">
				{width > 0 && (
					<Picture
						model={model}
						layout={layoutOf(model, sizes)}
						vertical={sizes.vertical}
						world={world}
						flow={flow}
					/>
				)}
			</div>
			<AsText model={model} world={world} flow={flow} />
		</div>
	);
}
