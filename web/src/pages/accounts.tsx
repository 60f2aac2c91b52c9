/* Who may use the page: accounts, their roles, one-time links. */
import { useState } from "preact/hooks";
import { type Access, command, session } from "../api";
import { asError, useLoad } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import {
	Badge,
	Button,
	ConfirmDialog,
	Copyable,
	Dialog,
	EmptyState,
	Failure,
	FormDialog,
	Loading,
	Section,
	SelectField,
	Table,
	TextField,
} from "../ui";

interface Account {
	name: string;
	role: Role;
	password: string; /* set, unset */
}
type Role = "viewer" | "operator" | "admin";

const accesses: Record<Role, Access> = { viewer: "view", operator: "operate", admin: "admin" };

function roleName(role: Role): string {
	return t(`access.${accesses[role] ?? "view"}`);
}

type Asking =
	| { what: "add" }
	| { what: "remove"; name: string }
	| { what: "link"; text: string; name: string };

export function AccountsPage() {
	const loaded = useLoad<{ accounts: Account[] }>("accounts");
	const [asking, setAsking] = useState<Asking | null>(null);
	const [error, setError] = useState<Error | null>(null);

	const link = async (name: string) => {
		setError(null);
		try {
			setAsking({
				what: "link",
				name,
				text: (await command("admin", "link", name)).text,
			});
		} catch (failed) {
			setError(asError(failed));
		}
	};
	const close = () => {
		setAsking(null);
		loaded.reload();
	};
	const add = (
		<Button kind="primary" onClick={() => setAsking({ what: "add" })}>
			{t("accounts.add")}
		</Button>
	);
	return (
		<>
			<p class="lead">{t("accounts.lead")}</p>
			<Failure error={loaded.error} retry={loaded.reload} />
			<Failure error={error} />
			<Section title={t("page.accounts")} actions={add}>
				{loaded.data ? (
					<Accounts
						rows={loaded.data.accounts}
						link={(name) => void link(name)}
						remove={(name) =>
							setAsking({ what: "remove", name })
						}
					/>
				) : (
					loaded.busy && <Loading />
				)}
			</Section>
			{asking?.what === "add" && <AddDialog onClose={close} />}
			{asking?.what === "remove" && (
				<RemoveDialog name={asking.name} onClose={close} />
			)}
			{asking?.what === "link" && (
				<LinkDialog name={asking.name} text={asking.text} onClose={close} />
			)}
		</>
	);
}

function Accounts({
	rows,
	link,
	remove,
}: {
	rows: Account[];
	link: (name: string) => void;
	remove: (name: string) => void;
}) {
	const own = session.value?.name;
	return (
		<Table
			caption={t("page.accounts")}
			rows={rows}
			id={(row) => row.name}
			empty={<EmptyState title={t("accounts.empty")} />}
			columns={[
				{
					key: "name",
					label: t("accounts.name"),
					show: (row) => (
						<>
							<strong>{row.name}</strong>
							{row.name === own && (
								<span class="muted">
									{" "}
									({t("accounts.you")})
								</span>
							)}
						</>
					),
					sort: (row) => row.name,
				},
				{
					key: "role",
					label: t("accounts.role"),
					show: (row) => roleName(row.role),
					sort: (row) => row.role,
				},
				{
					key: "password",
					label: t("accounts.password"),
					show: (row) =>
						row.password === "set" ? (
							<Badge state="ok">
								{t("accounts.set")}
							</Badge>
						) : (
							<Badge state="off">
								{t("accounts.unset")}
							</Badge>
						),
				},
				{
					key: "do",
					label: t("homes.do"),
					show: (row) => (
						<div class="actions">
							<Button
								label={t("accounts.link-of", {
									name: row.name,
								})}
								onClick={() => link(row.name)}
							>
								{t("accounts.link")}
							</Button>
							{row.name !== own && (
								<Button
									kind="danger"
									label={t(
										"accounts.remove",
										{ name: row.name },
									)}
									onClick={() =>
										remove(row.name)
									}
								>
									{t("do.remove")}
								</Button>
							)}
						</div>
					),
				},
			]}
		/>
	);
}

function AddDialog({ onClose }: { onClose: () => void }) {
	const [name, setName] = useState("");
	const [role, setRole] = useState<Role>("viewer");
	const word = name.trim();
	return (
		<FormDialog
			title={t("accounts.add")}
			label={t("do.add")}
			ready={word !== "" && !/\s/.test(word)}
			onClose={onClose}
			run={async () => {
				await command("account", "add", word, role);
				say("ok", t("accounts.added", { name: word }));
			}}
		>
			<TextField
				label={t("accounts.name")}
				autocomplete="off"
				required
				value={name}
				onInput={setName}
			/>
			<SelectField<Role>
				label={t("accounts.role")}
				value={role}
				choices={(Object.keys(accesses) as Role[]).map((value) => ({
					value,
					label: roleName(value),
				}))}
				onChange={setRole}
			/>
		</FormDialog>
	);
}

function RemoveDialog({ name, onClose }: { name: string; onClose: () => void }) {
	return (
		<ConfirmDialog
			title={t("accounts.remove", { name })}
			label={t("do.remove")}
			onClose={onClose}
			run={async () => {
				await command("account", "remove", name);
				say("ok", t("accounts.removed", { name }));
			}}
		>
			<p>{t("accounts.remove-what")}</p>
		</ConfirmDialog>
	);
}

/* Links among what the node says are to be copied, the rest is to be read. */
function LinkDialog({ name, text, onClose }: { name: string; text: string; onClose: () => void }) {
	const lines = text.trim().split("\n");
	return (
		<Dialog title={t("accounts.link-of", { name })} onClose={onClose} wide>
			<p>{t("accounts.link-lead", { name })}</p>
			{lines.map((line) =>
				/^https:\S+$/.test(line.trim()) ? (
					<Copyable text={line.trim()} />
				) : (
					<p>{line}</p>
				),
			)}
		</Dialog>
	);
}
