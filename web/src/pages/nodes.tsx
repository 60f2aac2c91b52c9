/* The nodes that this one is paired with, their links and tunnels; pairing and joining. */
import { useState } from "preact/hooks";
import { command, may, session } from "../api";
import { JoinSection, PairSection } from "../config/pairing";
import { type Row, wordOf } from "../config/settings";
import { useSettings } from "../config/use_settings";
import { status } from "../live";
import { type Link, type Status, type Tunnel, isWell } from "../live/data";
import { age } from "../live/figures";
import { say } from "../notices";
import { t } from "../texts";
import {
	Badge,
	Button,
	type Column,
	ConfirmDialog,
	EmptyState,
	Facts,
	Failure,
	Loading,
	Section,
	Table,
} from "../ui";

interface Node {
	name: string;
	role: string;
	address: string;
	provision: string;
	link: Link | undefined;
	tunnel: (Tunnel & { skew_ms?: number | "" }) | undefined;
}

function nodesOf(rows: Row[], now: Status | null): Node[] {
	return rows.map((row) => {
		const name = wordOf(row.name ?? "");
		return {
			name,
			role: wordOf(row.role ?? ""),
			address: wordOf(row.address ?? "-"),
			provision: wordOf(row["provision-address"] ?? "-"),
			link: now?.links.find((link) => link.node === name),
			tunnel: now?.tunnels.find((tunnel) => tunnel.node === name),
		};
	});
}

export function NodesPage() {
	const settings = useSettings();
	const [removing, setRemoving] = useState("");
	const rows = settings.find("nodes")?.value as Row[] | undefined;
	const role = session.value?.node.role;
	return (
		<>
			<p class="lead">{t("nodes.lead")}</p>
			<Failure error={settings.error} retry={settings.reload} />
			<Section title={t("page.nodes")}>
				{rows ? (
					<Table
						caption={t("page.nodes")}
						rows={nodesOf(rows, status.value)}
						id={(row) => row.name}
						empty={<EmptyState title={t("nodes.empty")} />}
						columns={columns(setRemoving)}
					/>
				) : (
					settings.busy && <Loading />
				)}
			</Section>
			{may("admin") &&
				(role === "core" ? (
					<JoinSection onJoined={settings.reload} />
				) : (
					<PairSection />
				))}
			<Self />
			{removing && (
				<RemoveDialog
					name={removing}
					onClose={() => {
						setRemoving("");
						settings.reload();
					}}
				/>
			)}
		</>
	);
}

const SKEW_TOLD_MS = 1000;

function TunnelState({ tunnel }: { tunnel: Node["tunnel"] }) {
	if (!tunnel) return <Badge state="off">{t("nodes.absent")}</Badge>;
	const skew = tunnel.skew_ms;
	return (
		<>
			<Badge state={isWell(tunnel.state) ? "ok" : "bad"}>{tunnel.state}</Badge>{" "}
			<small>{t("nodes.since", { time: age(tunnel.seconds) })}</small>
			{tunnel.why && <div>{tunnel.why}</div>}
			{typeof skew === "number" && Math.abs(skew) >= SKEW_TOLD_MS && (
				<div>
					<Badge state="warning">
						{t("nodes.skew", { ms: skew })}
					</Badge>
				</div>
			)}
		</>
	);
}

function LinkState({ link }: { link: Link | undefined }) {
	if (!link) return <Badge state="off">{t("nodes.absent")}</Badge>;
	return (
		<>
			<Badge state={isWell(link.state) ? "ok" : "bad"}>{link.state}</Badge>{" "}
			<small>{t("nodes.since", { time: age(link.seconds) })}</small>
			{link.why && <div>{link.why}</div>}
		</>
	);
}

function dialled(address: string) {
	return address === "-" || address === "" ? (
		<span class="muted">{t("nodes.dials-us")}</span>
	) : (
		address
	);
}

function columns(remove: (name: string) => void): Column<Node>[] {
	return [
		{
			key: "node",
			label: t("nodes.node"),
			show: (row) => <strong>{row.name}</strong>,
			sort: (row) => row.name,
		},
		{
			key: "role",
			label: t("nodes.role"),
			show: (row) => row.role,
			sort: (row) => row.role,
		},
		{
			key: "link",
			label: t("nodes.link"),
			show: (row) => <LinkState link={row.link} />,
		},
		{
			key: "tunnel",
			label: t("nodes.tunnel"),
			show: (row) => <TunnelState tunnel={row.tunnel} />,
		},
		{ key: "address", label: t("nodes.address"), show: (row) => dialled(row.address) },
		{
			key: "provision",
			label: t("nodes.provision"),
			show: (row) => dialled(row.provision),
		},
		{
			key: "do",
			label: t("homes.do"),
			show: (row) =>
				may("admin") && (
					<Button
						kind="danger"
						label={t("nodes.remove", { name: row.name })}
						onClick={() => remove(row.name)}
					>
						{t("do.remove")}
					</Button>
				),
		},
	];
}

function RemoveDialog({ name, onClose }: { name: string; onClose: () => void }) {
	return (
		<ConfirmDialog
			title={t("nodes.remove", { name })}
			label={t("do.remove")}
			onClose={onClose}
			run={async () => {
				await command("node", "remove", name);
				say("ok", t("nodes.removed", { name }));
			}}
		>
			<p>{t("nodes.remove-what")}</p>
		</ConfirmDialog>
	);
}

function Self() {
	const node = status.value?.node as { name: string; role: string; pin?: string } | undefined;
	if (!node) return null;
	return (
		<Section title={t("nodes.self")}>
			<Facts
				facts={[
					{ name: t("nodes.node"), value: node.name },
					{ name: t("nodes.role"), value: node.role },
					{
						name: t("nodes.pin"),
						value: <code>{node.pin ?? ""}</code>,
					},
				]}
			/>
		</Section>
	);
}
