/* The domains of the world that were talked to lately: how they are, and what went wrong last. */
import { useState } from "preact/hooks";
import { command, may } from "../api";
import { given, type Peer } from "../live/data";
import { age, whole } from "../live/figures";
import { GridPage } from "../live/grid_page";
import { peerHealth, type PeerHealth } from "../live/map_model";
import type { Column } from "../live/virtual_table";
import { useLoad } from "../load";
import { say, sayError } from "../notices";
import { language } from "../preferences";
import { href, navigate } from "../router";
import { t } from "../texts";
import { Badge, Button, Dialog, Facts, LinkButton, type State } from "../ui";

const REFRESH_S = 10;
const STATES: Record<PeerHealth, State> = {
	failing: "bad",
	waiting: "busy",
	up: "ok",
	idle: "off",
};
const RANKS: Record<PeerHealth, number> = { failing: 0, waiting: 1, up: 2, idle: 3 };

const HALVES = ["ready", "connecting", "waiting", "none"] as const;

function halfWord(state: string): string {
	const known = HALVES.find((each) => each === state);
	return known ? t(`half.${known}`) : state;
}

function HealthBadge({ peer }: { peer: Peer }) {
	const health = peerHealth(peer);
	return <Badge state={STATES[health]}>{t(`peer.${health}`)}</Badge>;
}

const seconds = (value: number | "") => (given(value) ? age(value) : "");
const count = (value: number | "") => (given(value) ? whole(value, language.value) : "");

const columns = (): Column<Peer>[] => [
	{
		key: "state",
		label: t("domain.state"),
		cell: (peer) => RANKS[peerHealth(peer)],
		show: (peer) => <HealthBadge peer={peer} />,
		width: "minmax(104px, 1fr)",
	},
	{
		key: "domain",
		label: t("domain.name"),
		cell: (peer) => peer.domain,
		width: "minmax(160px, 2.6fr)",
		card: "title",
	},
	{
		key: "out",
		label: t("domain.out"),
		cell: (peer) => peer.out,
		show: (peer) => halfWord(peer.out),
		width: "100px",
		card: "hidden",
	},
	{
		key: "in",
		label: t("domain.in"),
		cell: (peer) => peer.in,
		show: (peer) => halfWord(peer.in),
		width: "100px",
		card: "hidden",
	},
	{
		key: "waiting",
		label: t("domain.waiting"),
		cell: (peer) => peer.waiting,
		show: (peer) => count(peer.waiting),
		numeric: true,
		width: "80px",
	},
	{
		key: "retry",
		label: t("domain.retry-in"),
		cell: (peer) => peer.retry_seconds,
		show: (peer) => seconds(peer.retry_seconds),
		numeric: true,
		width: "84px",
		card: "hidden",
	},
	{
		key: "failure",
		label: t("domain.failure"),
		cell: (peer) => peer.failure,
		show: (peer) => peer.failure && <code>{peer.failure}</code>,
		width: "minmax(120px, 1.4fr)",
		card: "wide",
	},
	{
		key: "ago",
		label: t("domain.failed-ago"),
		cell: (peer) => peer.failed_seconds,
		show: (peer) => seconds(peer.failed_seconds),
		numeric: true,
		width: "80px",
		card: "hidden",
	},
	{
		key: "stanzas",
		label: t("domain.stanzas"),
		cell: (peer) => peer.stanzas,
		show: (peer) => count(peer.stanzas),
		numeric: true,
		width: "92px",
		card: "hidden",
	},
];

export function DomainsPage() {
	const loaded = useLoad<{ peers: Peer[] }>("domains", REFRESH_S);
	const [open, setOpen] = useState<Peer | null>(null);

	return (
		<>
			<GridPage
				label={t("page.domains")}
				loaded={loaded}
				rows={loaded.data?.peers}
				columns={columns()}
				id={(peer) => peer.domain}
				words={(peer) =>
					`${Object.values(peer).join(" ")} ${t(`peer.${peerHealth(peer)}`)}`
				}
				first={{ key: "state", descending: false }}
				none={t("domains.none")}
				onOpen={setOpen}
			/>
			{open && <DomainDialog peer={open} onClose={() => setOpen(null)} />}
		</>
	);
}

function DomainDialog({ peer, onClose }: { peer: Peer; onClose: () => void }) {
	const retry = async () => {
		try {
			const reply = await command("retry", peer.domain);
			say("ok", reply.text || t("domain.retried", { domain: peer.domain }));
			onClose();
		} catch (error) {
			sayError(error);
			onClose();
		}
	};
	const facts = [
		{ name: t("domain.state"), value: <HealthBadge peer={peer} /> },
		{ name: t("domain.out"), value: halfWord(peer.out) },
		{ name: t("domain.in"), value: halfWord(peer.in) },
		{ name: t("domain.waiting"), value: count(peer.waiting) },
		{ name: t("domain.retry-in"), value: seconds(peer.retry_seconds) },
		{ name: t("domain.failure"), value: peer.failure && <code>{peer.failure}</code> },
		{ name: t("domain.failed-ago"), value: seconds(peer.failed_seconds) },
		{ name: t("domain.why"), value: peer.why },
		{ name: t("domain.stanzas"), value: count(peer.stanzas) },
	].filter((fact) => fact.value !== "");
	return (
		<Dialog
			title={peer.domain}
			onClose={onClose}
			actions={
				<>
					{may("operate") && (
						<>
							<LinkButton
								href={href(
									"/log",
									{},
									{ domain: peer.domain },
								)}
							>
								{t("domain.log")}
							</LinkButton>
							<Button onClick={() => void retry()}>
								{t("domain.retry")}
							</Button>
						</>
					)}
					<Button
						kind="primary"
						onClick={() =>
							navigate(
								href("/why/:domain", {
									domain: peer.domain,
								}),
							)
						}
					>
						{t("domain.to-why")}
					</Button>
				</>
			}
		>
			<Facts facts={facts} />
		</Dialog>
	);
}
