/* The diagnostic log: start, marker, stop, download; on a core for all nodes at once. */
import { useState } from "preact/hooks";
import { command, may, session } from "../api";
import { useLoad } from "../load";
import { say, sayError } from "../notices";
import { language } from "../preferences";
import { t } from "../texts";
import {
	Badge,
	Button,
	CheckField,
	EmptyState,
	Failure,
	LinkButton,
	Loading,
	Section,
	Table,
	TextField,
	Time,
	type Column,
	type State,
} from "../ui";
import type { Diag, DiagNode } from "./data";
import { bytes, whole } from "./figures";

const REFRESH_S = 5;
const DEFAULT_MINUTES = 10;
const STATES: Record<DiagNode["state"], State> = { none: "off", running: "busy", kept: "ok" };

export function DiagnosticLog() {
	const loaded = useLoad<Diag>("diag", REFRESH_S);
	const { data } = loaded;

	if (!data)
		return loaded.error ? (
			<Failure error={loaded.error} retry={loaded.reload} />
		) : (
			<Loading />
		);
	const running = data.nodes.some((node) => node.state === "running");
	const kept = data.nodes.some((node) => node.state === "kept");
	return (
		<>
			<p>{t("diag.what")}</p>
			{loaded.error && <Failure error={loaded.error} retry={loaded.reload} />}
			<Nodes nodes={data.nodes} />
			{running ? (
				<Running changed={loaded.reload} />
			) : (
				<Start kept={kept} changed={loaded.reload} />
			)}
			{(kept || running) && <Download running={running} nodes={data.nodes} />}
		</>
	);
}

const columns = (): Column<DiagNode>[] => [
	{ key: "node", label: t("diag.node"), show: (node) => node.node },
	{
		key: "state",
		label: t("diag.state"),
		show: (node) => <Badge state={STATES[node.state]}>{t(`diag.${node.state}`)}</Badge>,
	},
	{
		key: "began",
		label: t("diag.began"),
		show: (node) => (node.began ? <Time ms={node.began * 1000} /> : "–"),
	},
	{
		key: "ends",
		label: t("diag.ends"),
		show: (node) => (node.ends ? <Time ms={node.ends * 1000} exact /> : "–"),
	},
	{
		key: "lines",
		label: t("diag.lines"),
		numeric: true,
		show: (node) => whole(node.lines, language.value),
	},
	{
		key: "bytes",
		label: t("diag.size"),
		numeric: true,
		show: (node) => bytes(node.bytes, language.value),
	},
	{
		key: "with",
		label: t("diag.with"),
		show: (node) =>
			[node.capture && t("diag.packets"), node.secrets && t("diag.secrets")]
				.filter(Boolean)
				.join(", ") || "–",
	},
	{ key: "author", label: t("diag.author"), show: (node) => node.author || "–" },
];

function Nodes({ nodes }: { nodes: DiagNode[] }) {
	return (
		<Section title={t("diag.nodes")}>
			<Table
				caption={t("diag.nodes")}
				columns={columns()}
				rows={nodes}
				id={(node) => node.node}
				empty={<EmptyState title={t("diag.no-nodes")} />}
			/>
		</Section>
	);
}

function Start({ kept, changed }: { kept: boolean; changed: () => void }) {
	const [capture, setCapture] = useState(false);
	const [secrets, setSecrets] = useState(false);
	const [here, setHere] = useState(false);
	const [minutes, setMinutes] = useState(String(DEFAULT_MINUTES));
	const [domain, setDomain] = useState("");
	const [busy, setBusy] = useState(false);
	const isCore = session.value?.node.role === "core";
	const isNumber = /^[1-9]\d{0,3}$/.test(minutes.trim());

	const start = async (event: Event) => {
		event.preventDefault();
		if (!isNumber) return;
		setBusy(true);
		try {
			const words = [
				capture && "capture",
				capture && secrets && "secrets",
				`for=${Number(minutes) * 60}`,
				domain.trim() && `domain=${domain.trim()}`,
				here && "here",
			].filter((word): word is string => typeof word === "string" && word !== "");
			const reply = await command("diag", "start", ...words);
			say("ok", t("diag.started"), reply.text);
		} catch (error) {
			sayError(error);
		}
		setBusy(false);
		changed();
	};
	return (
		<Section title={t("diag.start")}>
			<form onSubmit={(event) => void start(event)}>
				<TextField
					label={t("diag.minutes")}
					type="number"
					value={minutes}
					onInput={setMinutes}
					error={isNumber ? null : t("diag.minutes-wrong")}
				/>
				<CheckField
					label={t("diag.with-capture")}
					help={t("diag.with-capture-help")}
					checked={capture}
					onChange={setCapture}
				/>
				{may("admin") && (
					<CheckField
						label={t("diag.with-secrets")}
						help={t("diag.with-secrets-help")}
						checked={capture && secrets}
						disabled={!capture}
						onChange={setSecrets}
					/>
				)}
				{capture && (
					<TextField
						label={t("diag.domain")}
						help={t("diag.domain-help")}
						value={domain}
						onInput={setDomain}
					/>
				)}
				{isCore && (
					<CheckField
						label={t("diag.here")}
						checked={here}
						onChange={setHere}
					/>
				)}
				{kept && <p class="help">{t("diag.replaces")}</p>}
				<div class="actions">
					<Button type="submit" kind="primary" busy={busy}>
						{t("diag.start-do")}
					</Button>
				</div>
			</form>
		</Section>
	);
}

function Running({ changed }: { changed: () => void }) {
	const [marker, setMarker] = useState("");
	const run = async (done: string, ...words: string[]) => {
		try {
			const reply = await command("diag", ...words);
			say("ok", done, reply.text);
			setMarker("");
		} catch (error) {
			sayError(error);
		}
		changed();
	};
	return (
		<Section
			title={t("diag.runs")}
			actions={
				<Button
					kind="danger"
					onClick={() => void run(t("diag.stopped"), "stop")}
				>
					{t("diag.stop")}
				</Button>
			}
		>
			<form
				class="in-line"
				onSubmit={(event) => {
					event.preventDefault();
					const text = marker.trim();
					if (text) void run(t("diag.marked"), "mark", text);
				}}
			>
				<TextField
					label={t("diag.marker")}
					help={t("diag.marker-help")}
					value={marker}
					onInput={setMarker}
				/>
				<Button type="submit" disabled={!marker.trim()}>
					{t("diag.mark")}
				</Button>
			</form>
		</Section>
	);
}

function Download({ running, nodes }: { running: boolean; nodes: DiagNode[] }) {
	const secrets = nodes.some((node) => node.secrets);
	return (
		<Section title={t("diag.bundle")}>
			<p>{t("diag.bundle-what")}</p>
			{secrets && <p class="warning-words">{t("diag.bundle-secrets")}</p>}
			{!may("admin") ? (
				<p class="help">{t("diag.bundle-admin")}</p>
			) : running ? (
				<p class="help">{t("diag.bundle-running")}</p>
			) : (
				<div class="actions">
					<LinkButton
						kind="primary"
						href="/api/v1/diag/bundle"
						download
					>
						{t("diag.bundle-do")}
					</LinkButton>
				</div>
			)}
		</Section>
	);
}
