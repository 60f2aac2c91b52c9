/* The first thing one sees: is all well, where not, and what flows. */
import { useEffect, useState } from "preact/hooks";
import { session } from "../api";
import { MapView } from "../live/map_view";
import { Troubles } from "../live/map_words";
import { given, type Peer, type Status } from "../live/data";
import { perSecond, whole } from "../live/figures";
import { Looks, NO_FLOW, type Flow } from "../live/flow";
import { mapOf, peerHealth, worldOf } from "../live/map_model";
import { alarms as liveAlarms, heard, status as liveStatus } from "../live";
import { useLoad } from "../load";
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, Banner, EmptyState, Failure, LinkButton, Loading, Section } from "../ui";

const FLOW_SPAN_MS = 12_000;
const PEERS_EVERY_S = 60; /* and at once when a stream came or went */
const LOOKED_AT = 6; /* domains and sentences that are shown here */

function useFlow(status: Status | null): Flow {
	const [looks] = useState(() => new Looks(FLOW_SPAN_MS));
	const [flow, setFlow] = useState(NO_FLOW);

	useEffect(() => {
		if (status) setFlow(looks.add({ ms: heard.peek(), counters: status.counters }));
	}, [status]);
	return flow;
}

/* What is counted of streams: when it changes, the domains of the world have to be read again. */
function streamCounts(status: Status | null): string {
	const counted = Object.entries(status?.counters ?? {});
	return counted.filter(([name]) => /^(streams|setups)\./.test(name)).join(" ");
}

export function OverviewPage() {
	const role = session.value?.node.role;
	const first = useLoad<Status>("status");
	const peers = useLoad<{ peers: Peer[] }>(role === "edge" ? "domains" : null, PEERS_EVERY_S);
	const flow = useFlow(liveStatus.value);
	const counts = streamCounts(liveStatus.value);
	const status = liveStatus.value ?? first.data;

	useEffect(() => {
		if (peers.data) peers.refresh();
	}, [counts]);

	if (!status)
		return first.error ? (
			<Failure error={first.error} retry={first.reload} />
		) : (
			<Loading />
		);
	const model = mapOf({ ...status, alarms: liveAlarms.value ?? status.alarms });
	const world = peers.data ? worldOf(peers.data.peers, LOOKED_AT) : null;
	return (
		<>
			<Verdict status={status} />
			<div class={peers.data ? "overview with-domains" : "overview"}>
				<div class="area-map">
					<Section title={t("overview.map")}>
						<MapView model={model} world={world} flow={flow} />
					</Section>
				</div>
				<div class="area-figures">
					<Figures status={status} flow={flow} />
				</div>
				<div class="area-alarms">
					<Section
						title={t("page.alarms")}
						actions={
							<LinkButton href={href("/alarms")}>
								{t("overview.all")}
							</LinkButton>
						}
					>
						<Troubles model={model} />
					</Section>
				</div>
				{world && (
					<div class="area-domains">
						<Domains peers={world.first} />
					</div>
				)}
			</div>
		</>
	);
}

function Verdict({ status }: { status: Status }) {
	const wrong = status.wrong;
	const warnings = status.warnings;
	if (wrong.length > 0)
		return (
			<Banner
				kind="error"
				title={
					wrong.length === 1
						? t("verdict.wrong-one")
						: t("verdict.wrong", { count: wrong.length })
				}
			>
				<Sentences list={wrong} />
				<LinkButton href={href("/alarms")}>
					{t("overview.to-alarms")}
				</LinkButton>
			</Banner>
		);
	if (warnings.length > 0)
		return (
			<Banner kind="warning" title={t("overview.works-with-warnings")}>
				<Sentences list={warnings} />
			</Banner>
		);
	return <Banner kind="ok" title={t("overview.all-is-well")} fix={status.verdict} />;
}

function Sentences({ list }: { list: string[] }) {
	const rest = list.length - LOOKED_AT;
	return (
		<ul class="sentences">
			{list.slice(0, LOOKED_AT).map((sentence) => (
				<li>{sentence}</li>
			))}
			{rest > 0 && <li>{t("overview.and-more", { count: rest })}</li>}
		</ul>
	);
}

function Figure({ name, value, unit }: { name: string; value: string; unit?: string }) {
	return (
		<div class="figure">
			<dt>{name}</dt>
			<dd>
				{value}
				{unit && <small> {unit}</small>}
			</dd>
		</div>
	);
}

function Figures({ status, flow }: { status: Status; flow: Flow }) {
	const { counters } = status;
	const figure = (value: number | undefined) =>
		value === undefined ? "–" : whole(value, language.value);
	const rate = (value: number | null) =>
		value === null ? "–" : perSecond(value, language.value);
	const federated = status.domains.filter((domain) => domain.federation === "on").length;

	return (
		<dl class="figures" aria-label={t("overview.figures")}>
			<Figure
				name={t("figure.in")}
				value={rate(flow.in)}
				unit={t("unit.per-second")}
			/>
			<Figure
				name={t("figure.out")}
				value={rate(flow.out)}
				unit={t("unit.per-second")}
			/>
			{given(counters["streams.open"]) && (
				<Figure
					name={t("figure.streams")}
					value={figure(counters["streams.open"])}
				/>
			)}
			<Figure name={t("figure.open")} value={figure(counters["stanzas.open"])} />
			<Figure
				name={t("figure.bounced")}
				value={figure(counters["stanzas.bounced"])}
			/>
			<Figure
				name={t("figure.uncertain")}
				value={figure(counters["stanzas.uncertain"])}
			/>
			<Figure name={t("figure.federated")} value={figure(federated)} />
		</dl>
	);
}

const PEER_STATES = { failing: "bad", waiting: "busy", up: "ok", idle: "off" } as const;

function Domains({ peers }: { peers: Peer[] }) {
	return (
		<Section
			title={t("page.domains")}
			actions={
				<LinkButton href={href("/domains")}>{t("overview.all")}</LinkButton>
			}
		>
			{peers.length === 0 ? (
				<EmptyState title={t("domains.none")} />
			) : (
				<ul class="lines">
					{peers.map((peer) => {
						const health = peerHealth(peer);
						return (
							<li key={peer.domain} class="domain-line">
								<Badge state={PEER_STATES[health]}>
									{t(`peer.${health}`)}
								</Badge>
								<a
									href={href("/why/:domain", {
										domain: peer.domain,
									})}
								>
									{peer.domain}
								</a>
								{peer.failure && (
									<code>{peer.failure}</code>
								)}
							</li>
						);
					})}
				</ul>
			)}
		</Section>
	);
}
