/* How federation does on this edge: configured, active, and each part that it needs. */
import { status } from "../live";
import { type Link, type Status, type Tunnel, isWell } from "../live/data";
import { href } from "../router";
import { t } from "../texts";
import { Badge, type Fact, Facts, Loading, Section } from "../ui";

/* Why federation is not at work though it is switched on; "": it is. */
function hindrance(now: Status): string {
	if (now.links.length === 0) return t("unified.no-core");
	if (!now.links.some((link) => isWell(link.state))) {
		const link = now.links[0];
		return link ? t("unified.no-link", { node: link.node, state: link.state }) : "";
	}
	return now.domains.some((domain) => domain.federation === "on")
		? ""
		: t("unified.no-domain");
}

function isConfigured(now: Status): boolean {
	return now.settings["federation.enabled"] === "on";
}

function Active({ now }: { now: Status }) {
	const why = hindrance(now);
	if (!isConfigured(now)) return <Badge state="off">{t("unified.not-configured")}</Badge>;
	return why ? (
		<Badge state="bad">{why}</Badge>
	) : (
		<Badge state="ok">{t("unified.is-active")}</Badge>
	);
}

export function StateOf({ part }: { part: Link | Tunnel }) {
	return (
		<>
			<Badge state={isWell(part.state) ? "ok" : "bad"}>{part.state}</Badge>
			{part.why && <> {part.why}</>}
		</>
	);
}

function factsOf(now: Status): Fact[] {
	const federated = now.domains.filter((domain) => domain.federation === "on");
	return [
		{
			name: t("unified.configured"),
			value: (
				<Badge state={isConfigured(now) ? "ok" : "off"}>
					{t(
						isConfigured(now)
							? "unified.is-configured"
							: "unified.not-configured",
					)}
				</Badge>
			),
		},
		{ name: t("unified.active"), value: <Active now={now} /> },
		...now.links.map((link) => ({
			name: t("unified.link", { node: link.node }),
			value: <StateOf part={link} />,
		})),
		...now.tunnels.map((tunnel) => ({
			name: t("unified.tunnel", { node: tunnel.node }),
			value: <StateOf part={tunnel} />,
		})),
		{
			name: t("unified.domains"),
			value: federated.map((domain) => domain.name).join(", ") || t("word.none"),
		},
		{
			name: t("unified.streams"),
			value: now.counters["streams.open"] ?? t("word.unknown"),
		},
	];
}

export function ServiceStatus() {
	const now = status.value;
	return (
		<Section title={t("unified.status")}>
			{now ? <Facts facts={factsOf(now)} /> : <Loading />}
			<ul class="links">
				<li>
					<a href={href("/log", {}, { module: "XMPPFederation" })}>
						{t("unified.see-log")}
					</a>
				</li>
				<li>
					<a href={href("/streams")}>{t("unified.see-streams")}</a>
				</li>
				<li>
					<a href={href("/config/nodes")}>{t("unified.see-nodes")}</a>
				</li>
			</ul>
		</Section>
	);
}
