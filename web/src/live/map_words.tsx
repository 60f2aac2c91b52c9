/* The live map in words: what places and hops are called, how they are, and what is wrong there. */
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, EmptyState, type State } from "../ui";
import { perSecond } from "./figures";
import type { Flow } from "./flow";
import {
	nearerThan,
	troubleWords,
	type Health,
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

export function healthWord(health: Health): string {
	return t(`map.${health}`);
}

/* What a place is called: its name, or what it is. */
export function placeName(place: Place): string {
	return place.name || t(`map.column-${place.column}`);
}

/* How a place is; of one that is too far away, behind whom it is. */
export function stateWord(model: MapModel, place: Place): string {
	if (!place.beyond) return healthWord(place.health);
	const nearer = nearerThan(model, place);
	return nearer ? t("map.behind", { node: nearer.name }) : t("map.beyond");
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
function TroubleLine({
	trouble,
	place,
	self,
}: {
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
								<TroubleLine
									trouble={trouble}
									place={spot.name}
									self={self}
								/>
							</li>
						))}
					</ul>
				</li>
			))}
		</ul>
	);
}

export function AsText({
	model,
	world,
	flow,
}: {
	model: MapModel;
	world: World | null;
	flow: Flow;
}) {
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
