/* Home: what the administrator is told to do, the table of edges, the servers with the users. */
import { useState } from "preact/hooks";
import { command, may } from "../api";
import { status } from "../live";
import { type Attachment, isWell } from "../live/data";
import { useLoad } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import {
	ActionButton,
	Badge,
	Banner,
	Button,
	Code,
	ConfirmDialog,
	EmptyState,
	Failure,
	Loading,
	Section,
	Table,
	Time,
} from "../ui";

export function ImPresencePage() {
	const [asking, setAsking] = useState(false);
	const restart = may("operate") ? () => setAsking(true) : null;
	return (
		<>
			<Notifications restart={restart} />
			<EdgeTable restart={restart} />
			<Attachments />
			{asking && <RestartDialog onClose={() => setAsking(false)} />}
		</>
	);
}

function RestartDialog({ onClose }: { onClose: () => void }) {
	return (
		<ConfirmDialog
			title={t("im.restart-question")}
			label={t("im.restart")}
			onClose={onClose}
			run={async () => {
				const reply = await command("restart", "router");
				say("ok", t("im.restarted"), reply.text);
			}}
		>
			<p>{t("im.restart-what")}</p>
		</ConfirmDialog>
	);
}

interface Notification {
	number: number;
	severity: string;
	count: number;
	description: string;
	origin: string;
	created: string; /* ISO 8601 */
}

const LOOK_SECONDS = 3;
const HERE = "restart this service here";

function Notifications({ restart }: { restart: (() => void) | null }) {
	const loaded = useLoad<{ notifications: Notification[] }>("notifications", LOOK_SECONDS);
	return (
		<Section title={t("im.notifications")}>
			<Failure error={loaded.error} retry={loaded.reload} />
			{loaded.data ? (
				<Table
					caption={t("im.notifications")}
					rows={loaded.data.notifications}
					id={(row) => String(row.number)}
					empty={<EmptyState title={t("im.notifications-none")} />}
					columns={[
						{
							key: "severity",
							label: t("im.severity"),
							show: (row) => <Severity text={row.severity} />,
						},
						{ key: "count", label: t("im.count"), numeric: true, show: (row) => row.count },
						{
							key: "description",
							label: t("im.description"),
							show: (row) => <Description text={row.description} restart={restart} />,
						},
						{ key: "origin", label: t("im.origin"), show: (row) => row.origin },
						{
							key: "created",
							label: t("im.created"),
							show: (row) => <Time ms={Date.parse(row.created)} exact />,
						},
						{
							key: "do",
							label: t("homes.do"),
							show: (row) => restart && <Delete number={row.number} reload={loaded.reload} />,
						},
					]}
				/>
			) : (
				loaded.busy && <Loading />
			)}
		</Section>
	);
}

function Severity({ text }: { text: string }) {
	return <Badge state={/warn/i.test(text) ? "warning" : "bad"}>{text}</Badge>;
}

/* The words "restart this service here" in it do that. */
function Description({ text, restart }: { text: string; restart: (() => void) | null }) {
	const at = text.indexOf(HERE);
	if (!restart || at < 0) return <>{text}</>;
	return (
		<>
			{text.slice(0, at)}
			<button type="button" class="link" onClick={restart}>
				{HERE}
			</button>
			{text.slice(at + HERE.length)}
		</>
	);
}

function Delete({ number, reload }: { number: number; reload: () => void }) {
	return (
		<ActionButton
			kind="quiet"
			label={t("im.delete", { number })}
			done={t("im.deleted")}
			run={async () => {
				await command("notifications", "delete", String(number));
				reload();
			}}
		>
			{t("do.remove")}
		</ActionButton>
	);
}

interface TableRow {
	name: string; /* the edge's realm, or its component and realm */
	stored: boolean;
	loaded: boolean;
	link: string;
}

/* Every cp_id that is stored or loaded, with the link to its realm. */
function tableRows(): TableRow[] {
	const now = status.value as { stored?: { cp_id: string }[]; loaded?: { cp_id: string }[] } | null;
	const stored = (now?.stored ?? []).map((row) => row.cp_id);
	const loaded = (now?.loaded ?? []).map((row) => row.cp_id);
	const realms = status.value?.realms ?? [];
	return [...new Set([...stored, ...loaded])].map((name) => ({
		name,
		stored: stored.includes(name),
		loaded: loaded.includes(name),
		link: realms.find((realm) => name.endsWith(`.${realm.name}`))?.link ?? "",
	}));
}

function Mark({ is }: { is: boolean }) {
	return <Badge state={is ? "ok" : "off"}>{t(is ? "word.yes" : "word.no")}</Badge>;
}

function EdgeTable({ restart }: { restart: (() => void) | null }) {
	const rows = tableRows();
	const differs = rows.some((row) => row.stored !== row.loaded);
	return (
		<Section
			title={t("im.table")}
			actions={restart && <Button onClick={restart}>{t("im.restart")}</Button>}
		>
			<p class="lead">{t("im.table-lead")}</p>
			{differs && <Banner kind="warning" title={t("im.differs")} />}
			{!status.value ? (
				<Loading />
			) : (
				<Table
					caption={t("im.table")}
					rows={rows}
					id={(row) => row.name}
					empty={
						<EmptyState title={t("im.table-empty")}>
							<p>{t("im.table-empty-fix")}</p>
						</EmptyState>
					}
					columns={[
						{ key: "cp_id", label: t("im.component"), show: (row) => <code>{row.name}</code> },
						{ key: "stored", label: t("im.stored"), show: (row) => <Mark is={row.stored} /> },
						{ key: "loaded", label: t("im.loaded"), show: (row) => <Mark is={row.loaded} /> },
						{
							key: "link",
							label: t("im.link"),
							show: (row) =>
								row.link === "linked" ? (
									<Badge state="ok">{t("im.linked")}</Badge>
								) : (
									<Badge state="bad">{t("im.not-linked")}</Badge>
								),
						},
					]}
				/>
			)}
		</Section>
	);
}

function FederationNode({ federates }: { federates: string }) {
	if (federates === "no") return <Badge state="ok">{t("im.federation-off")}</Badge>;
	if (federates === "yes") return <Badge state="bad">{t("im.federation-on")}</Badge>;
	return <Badge state="off">{t("word.unknown")}</Badge>;
}

function Attachments() {
	const rows: Attachment[] = status.value?.attachments ?? [];
	return (
		<Section title={t("im.attachments")}>
			{!status.value ? (
				<Loading />
			) : (
				<Table
					caption={t("im.attachments")}
					rows={rows}
					id={(row) => row.name}
					empty={
						<EmptyState title={t("im.attachments-none")}>
							<p>
								<Code text={t("im.attachments-fix")} />
							</p>
						</EmptyState>
					}
					columns={[
						{ key: "name", label: t("im.attachment"), show: (row) => <strong>{row.name}</strong> },
						{
							key: "state",
							label: t("im.state"),
							show: (row) => <Badge state={isWell(row.state) ? "ok" : "bad"}>{row.state}</Badge>,
						},
						{
							key: "federates",
							label: t("im.federation-node"),
							show: (row) => <FederationNode federates={row.federates} />,
						},
						{
							key: "unsettled",
							label: t("im.unsettled"),
							numeric: true,
							show: (row) => row.unsettled,
						},
						{ key: "why", label: t("im.why"), show: (row) => row.why || t("word.none") },
					]}
				/>
			)}
		</Section>
	);
}
