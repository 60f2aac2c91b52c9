/* Core: home nodes and Cisco IM and Presence servers, and how AXL does with each. */
import { useState } from "preact/hooks";
import { command, may } from "../api";
import { HomeServerDialog, PasswordDialog } from "../config/home_server_dialogs";
import { type Row, wordOf } from "../config/settings";
import { useSettings } from "../config/use_settings";
import type { HomeServer as Known } from "../live/data";
import { useLoad } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import {
	ActionButton,
	Badge,
	Banner,
	Button,
	type Column,
	ConfirmDialog,
	EmptyState,
	Failure,
	Loading,
	Section,
	Table,
	Time,
} from "../ui";

interface HomeServer extends Known {
	version: string;
	seconds: number | "";
	rows: string;
	foreign: string;
}

const LOOK_SECONDS = 3;

type Asking = { what: "add" } | { what: "password" | "remove"; name: string } | null;

export function HomeServersPage() {
	const loaded = useLoad<{ home_servers: HomeServer[] }>("home-servers", LOOK_SECONDS);
	const settings = useSettings();
	const [asking, setAsking] = useState<Asking>(null);
	const users = (settings.find("home_servers")?.value ?? []) as Row[];
	const userOf = (name: string) =>
		wordOf(users.find((row) => row.name === name)?.user ?? t("word.unknown"));
	const close = () => {
		setAsking(null);
		loaded.reload();
		settings.reload();
	};
	return (
		<>
			<p class="lead">{t("homes.lead")}</p>
			<Failure error={loaded.error} retry={loaded.reload} />
			<Section title={t("page.home-servers")} actions={<Actions add={() => setAsking({ what: "add" })} />}>
				{loaded.data ? (
					<Table
						caption={t("page.home-servers")}
						rows={loaded.data.home_servers}
						id={(row) => row.name}
						empty={
							<EmptyState title={t("homes.empty")}>
								<p>{t("homes.empty-fix")}</p>
							</EmptyState>
						}
						columns={columns(userOf, setAsking)}
					/>
				) : (
					loaded.busy && <Loading />
				)}
			</Section>
			{asking?.what === "add" && <HomeServerDialog onClose={close} />}
			{asking?.what === "password" && <PasswordDialog name={asking.name} onClose={close} />}
			{asking?.what === "remove" && <RemoveDialog name={asking.name} onClose={close} />}
		</>
	);
}

function Actions({ add }: { add: () => void }) {
	return (
		<>
			{may("operate") && (
				<ActionButton done={t("homes.refreshed")} run={() => refresh()}>
					{t("homes.refresh")}
				</ActionButton>
			)}
			{may("admin") && (
				<Button kind="primary" onClick={add}>
					{t("homes.add")}
				</Button>
			)}
		</>
	);
}

async function refresh(...names: string[]): Promise<string> {
	return (await command("home-server", "refresh", ...names)).text;
}

function AxlState({ row }: { row: HomeServer }) {
	if (row.state === "ready")
		return (
			<>
				<Badge state="ok">{t("homes.ready")}</Badge>
				{row.version && (
					<div class="muted">{t("homes.version", { version: row.version })}</div>
				)}
			</>
		);
	if (row.state === "working") return <Badge state="busy">{t("homes.working")}</Badge>;
	return (
		<>
			<Badge state="bad">{t("homes.failed", { trouble: row.trouble })}</Badge>
			{row.why && <div>{row.why}</div>}
			{(row.trouble === "login" || row.trouble === "role") && (
				<p class="help">{t("homes.symptom", { address: row.address })}</p>
			)}
		</>
	);
}

function columns(userOf: (name: string) => string, ask: (asking: Asking) => void): Column<HomeServer>[] {
	return [
		{
			key: "name",
			label: t("homes.name"),
			show: (row) => (
				<>
					<strong>{row.name}</strong>
					<div class="muted">{row.address}</div>
				</>
			),
			sort: (row) => row.name,
		},
		{ key: "user", label: t("homes.user"), show: (row) => userOf(row.name) },
		{
			key: "state",
			label: t("homes.state"),
			show: (row) => <AxlState row={row} />,
			sort: (row) => row.state,
		},
		{ key: "rows", label: t("homes.rows"), show: (row) => row.rows || t("word.none") },
		{
			key: "foreign",
			label: t("homes.foreign"),
			show: (row) =>
				row.foreign ? <Badge state="warning">{row.foreign}</Badge> : t("word.none"),
		},
		{
			key: "looked",
			label: t("homes.looked"),
			show: (row) =>
				row.seconds === "" ? t("word.never") : <Time ms={Date.now() - row.seconds * 1000} />,
		},
		{ key: "do", label: t("homes.do"), show: (row) => <RowActions name={row.name} ask={ask} /> },
	];
}

function RowActions({ name, ask }: { name: string; ask: (asking: Asking) => void }) {
	return (
		<div class="actions">
			{may("operate") && (
				<ActionButton
					label={t("homes.refresh-one", { name })}
					done={t("homes.refreshed")}
					run={() => refresh(name)}
				>
					{t("do.refresh")}
				</ActionButton>
			)}
			{may("admin") && (
				<>
					<Button
						label={t("homes.password-of", { name })}
						onClick={() => ask({ what: "password", name })}
					>
						{t("homes.password")}
					</Button>
					<Button
						kind="danger"
						label={t("list.remove", { name })}
						onClick={() => ask({ what: "remove", name })}
					>
						{t("do.remove")}
					</Button>
				</>
			)}
		</div>
	);
}

function RemoveDialog({ name, onClose }: { name: string; onClose: () => void }) {
	return (
		<ConfirmDialog
			title={t("homes.remove", { name })}
			label={t("do.remove")}
			onClose={onClose}
			run={async () => {
				await command("home-server", "remove", name);
				say("ok", t("homes.removed", { name }));
			}}
		>
			<Banner kind="warning" title={t("homes.remove-what")} />
		</ConfirmDialog>
	);
}
