/* Edge: the lists of the privacy modes, and the static routes. */
import { useState } from "preact/hooks";
import { type ListDraft, domainsOf, withAdded } from "../config/list_draft";
import { ListEditor } from "../config/list_editor";
import { wordsOf } from "../config/settings";
import { type Settings, useSettings } from "../config/use_settings";
import { href } from "../router";
import { type PlainKey, t } from "../texts";
import { AreaField, Banner, Button, Failure, Loading, TextField } from "../ui";

const modes: Record<string, PlainKey> = {
	off: "unified.privacy-off",
	"allow-list": "unified.privacy-allow",
	"deny-list": "unified.privacy-deny",
};

function ModeNote({ settings, wanted }: { settings: Settings; wanted: string }) {
	const mode = String(settings.find("federation.privacy_mode")?.value ?? "");
	const key = modes[mode];
	if (mode === wanted || !key) return null;
	return <Unused why={t("list.mode-is", { mode: t(key) })} />;
}

function Unused({ why }: { why: string }) {
	return (
		<Banner kind="info" title={t("list.unused", { why })}>
			<a href={href("/config/unified")}>{t("page.unified")}</a>
		</Banner>
	);
}

function DomainList({ setting, lead, mode }: { setting: string; lead: string; mode: string }) {
	const settings = useSettings();
	const found = settings.find(setting);
	return (
		<>
			<p class="lead">{lead}</p>
			<Failure error={settings.error} retry={settings.reload} />
			{settings.busy && !found && <Loading />}
			{found && (
				<>
					<ModeNote settings={settings} wanted={mode} />
					<ListEditor
						setting={setting}
						entries={wordsOf(found.value)}
						show={(entry) => entry}
						add={(draft, change) => (
							<AddDomains draft={draft} change={change} />
						)}
						onSaved={settings.reload}
					/>
				</>
			)}
		</>
	);
}

export const AllowListPage = () => (
	<DomainList setting="federation.allow_list" lead={t("list.lead-allow")} mode="allow-list" />
);
export const DenyListPage = () => (
	<DomainList setting="federation.deny_list" lead={t("list.lead-deny")} mode="deny-list" />
);

interface Adding {
	draft: ListDraft;
	change: (draft: ListDraft) => void;
}

function AddDomains({ draft, change }: Adding) {
	const [text, setText] = useState("");
	return (
		<form
			onSubmit={(event) => {
				event.preventDefault();
				change(withAdded(draft, domainsOf(text)));
				setText("");
			}}
		>
			<AreaField
				label={t("list.add")}
				help={t("list.add-help")}
				rows={3}
				value={text}
				onInput={setText}
			/>
			<div class="actions">
				<Button type="submit" disabled={domainsOf(text).length === 0}>
					{t("do.add")}
				</Button>
			</div>
		</form>
	);
}

export function StaticRoutesPage() {
	const settings = useSettings();
	const routes = settings.find("federation.static_routes");
	return (
		<>
			<p class="lead">{t("list.lead-routes")}</p>
			<Failure error={settings.error} retry={settings.reload} />
			{settings.busy && !routes && <Loading />}
			{routes && (
				<>
					{settings.find("federation.use_static_routes")?.value ===
						false && <Unused why={t("list.routes-off")} />}
					<ListEditor
						setting="federation.static_routes"
						entries={wordsOf(routes.value)}
						show={showRoute}
						add={(draft, change) => (
							<AddRoute draft={draft} change={change} />
						)}
						onSaved={settings.reload}
					/>
				</>
			)}
		</>
	);
}

function showRoute(entry: string) {
	const [domain, host, port, priority] = entry.split(" ");
	return (
		<>
			<strong>{domain}</strong> → {host}, {t("route.port")} {port},{" "}
			{t("route.priority")} {priority}
		</>
	);
}

const S2S_PORT = "5269";

function AddRoute({ draft, change }: Adding) {
	const [domain, setDomain] = useState("");
	const [host, setHost] = useState("");
	const [port, setPort] = useState(S2S_PORT);
	const [priority, setPriority] = useState("0");
	const words = [domain, host, port, priority].map((word) => word.trim());
	return (
		<form
			class="row-form"
			onSubmit={(event) => {
				event.preventDefault();
				change(withAdded(draft, [words.join(" ")]));
				setDomain("");
				setHost("");
			}}
		>
			<TextField
				label={t("route.domain")}
				required
				value={domain}
				onInput={setDomain}
			/>
			<TextField
				label={t("route.host")}
				help={t("route.host-help")}
				required
				value={host}
				onInput={setHost}
			/>
			<TextField
				label={t("route.port")}
				type="number"
				required
				value={port}
				onInput={setPort}
			/>
			<TextField
				label={t("route.priority")}
				type="number"
				required
				value={priority}
				onInput={setPriority}
			/>
			<div class="actions">
				<Button
					type="submit"
					disabled={words.some(
						(word) => word === "" || /\s/.test(word),
					)}
				>
					{t("route.add")}
				</Button>
			</div>
		</form>
	);
}
