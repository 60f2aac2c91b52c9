/* Core: the domains of the inside, which are federated, and which home node leads there. */
import { useEffect, useState } from "preact/hooks";
import { may } from "../api";
import { ReviewDialog } from "../config/review";
import { type Row, lineOf, wordOf } from "../config/settings";
import { type Settings, useSettings } from "../config/use_settings";
import { t } from "../texts";
import { Banner, Button, EmptyState, Failure, Loading, Section, Table, TextField } from "../ui";

interface Domain {
	domain: string;
	federated: boolean;
	node: string;
}

function domainsIn(settings: Settings): Domain[] {
	const rows = (settings.find("domains")?.value ?? []) as Row[];
	return rows.map((row) => ({
		domain: wordOf(row.domain ?? ""),
		federated: row.federated === true,
		node: wordOf(row.node ?? ""),
	}));
}

function homesIn(settings: Settings): string[] {
	const rows = (settings.find("nodes")?.value ?? []) as Row[];
	return rows.filter((row) => row.role === "home").map((row) => wordOf(row.name ?? ""));
}

export function OwnDomainsPage() {
	const settings = useSettings();
	return (
		<>
			<p class="lead">{t("domains.lead")}</p>
			<Failure error={settings.error} retry={settings.reload} />
			{settings.list ? (
				<Editor settings={settings} />
			) : (
				settings.busy && <Loading />
			)}
		</>
	);
}

function Editor({ settings }: { settings: Settings }) {
	const [rows, setRows] = useState(domainsIn(settings));
	const [name, setName] = useState("");
	const [reviewing, setReviewing] = useState(false);
	const admin = may("admin");
	const before = domainsIn(settings);
	const changed = JSON.stringify(rows) !== JSON.stringify(before);

	useEffect(() => setRows(domainsIn(settings)), [settings.list]);
	const put = (domain: Domain, more: Partial<Domain>) =>
		setRows(
			rows.map((row) =>
				row.domain === domain.domain ? { ...row, ...more } : row,
			),
		);
	const add = () => {
		const domain = name.trim().toLowerCase();
		if (!domain || rows.some((row) => row.domain === domain)) return;
		setRows([...rows, { domain, federated: true, node: "" }]);
		setName("");
	};
	return (
		<>
			{!admin && <Banner kind="info" title={t("review.viewer")} />}
			{changed && (
				<div role="status">
					<Banner kind="warning" title={t("list.changed")}>
						<div class="actions">
							<Button
								kind="primary"
								onClick={() => setReviewing(true)}
							>
								{t("review.do")}
							</Button>
							<Button onClick={() => setRows(before)}>
								{t("review.undo")}
							</Button>
						</div>
					</Banner>
				</div>
			)}
			<Section title={t("page.own-domains")}>
				<DomainTable
					rows={rows}
					homes={homesIn(settings)}
					admin={admin}
					put={put}
					remove={(domain) =>
						setRows(rows.filter((row) => row.domain !== domain))
					}
				/>
				{admin && (
					<form
						class="row-form"
						onSubmit={(event) => {
							event.preventDefault();
							add();
						}}
					>
						<TextField
							label={t("domains.add")}
							value={name}
							onInput={setName}
						/>
						<div class="actions">
							<Button
								type="submit"
								disabled={name.trim() === ""}
							>
								{t("do.add")}
							</Button>
						</div>
					</form>
				)}
			</Section>
			{reviewing && (
				<ReviewDialog
					changes={[
						{
							name: "domains",
							words: rows.map((row) =>
								lineOf({ ...row }),
							),
						},
					]}
					onClose={() => setReviewing(false)}
					onSaved={settings.reload}
				/>
			)}
		</>
	);
}

function DomainTable({
	rows,
	homes,
	admin,
	put,
	remove,
}: {
	rows: Domain[];
	homes: string[];
	admin: boolean;
	put: (domain: Domain, more: Partial<Domain>) => void;
	remove: (domain: string) => void;
}) {
	return (
		<Table
			caption={t("page.own-domains")}
			rows={rows}
			id={(row) => row.domain}
			empty={<EmptyState title={t("list.empty")} />}
			columns={[
				{
					key: "domain",
					label: t("domains.domain"),
					show: (row) => <strong>{row.domain}</strong>,
					sort: (row) => row.domain,
				},
				{
					key: "federated",
					label: t("domains.federated"),
					show: (row) => (
						<label class="inline-check">
							<input
								type="checkbox"
								checked={row.federated}
								disabled={!admin}
								aria-label={t("domains.federate", {
									domain: row.domain,
								})}
								onChange={(event) =>
									put(row, {
										federated: event
											.currentTarget
											.checked,
									})
								}
							/>
							{t(row.federated ? "word.on" : "word.off")}
						</label>
					),
					sort: (row) => Number(row.federated),
				},
				{
					key: "node",
					label: t("domains.node"),
					show: (row) => (
						<HomeChoice
							row={row}
							homes={homes}
							disabled={!admin}
							onChange={(node) => put(row, { node })}
						/>
					),
					sort: (row) => row.node,
				},
				{
					key: "do",
					label: t("homes.do"),
					show: (row) =>
						admin && (
							<Button
								kind="quiet"
								label={t("list.remove", {
									name: row.domain,
								})}
								onClick={() => remove(row.domain)}
							>
								{t("do.remove")}
							</Button>
						),
				},
			]}
		/>
	);
}

function HomeChoice({
	row,
	homes,
	disabled,
	onChange,
}: {
	row: Domain;
	homes: string[];
	disabled: boolean;
	onChange: (node: string) => void;
}) {
	const names = [...new Set([...homes, row.node])].filter(Boolean);
	return (
		<select
			class="inline"
			value={row.node}
			disabled={disabled}
			aria-label={t("domains.node-of", { domain: row.domain })}
			onChange={(event) => onChange(event.currentTarget.value)}
		>
			<option value="" selected={row.node === ""}>
				{t("domains.node-any")}
			</option>
			{names.map((name) => (
				<option value={name} selected={name === row.node}>
					{name}
				</option>
			))}
		</select>
	);
}
