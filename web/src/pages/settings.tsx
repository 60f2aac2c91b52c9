/* All settings of the node, as its table has them: search, and change one after a dry run. */
import { useState } from "preact/hooks";
import { may } from "../api";
import { ReviewDialog } from "../config/review";
import { SettingDialog } from "../config/setting_dialog";
import { ValueOf } from "../config/setting_value";
import { type Setting, familyOf, findSettings, isDefault } from "../config/settings";
import { useSettings } from "../config/use_settings";
import { place, setQuery } from "../router";
import { t } from "../texts";
import { Badge, Button, CheckField, EmptyState, Failure, Loading, Section, TextField } from "../ui";

interface Asked {
	setting: Setting;
	words: string[] | null; /* null: still to be typed */
}

export function SettingsPage() {
	const settings = useSettings();
	const [asked, setAsked] = useState<Asked | null>(null);
	const query = place.value.query;
	const text = query.get("text") ?? "";
	const changedOnly = query.get("changed") === "1";
	const found = findSettings(settings.list ?? [], text).filter(
		(setting) => !changedOnly || !isDefault(setting),
	);
	const search = (more: { text?: string; changed?: string }) =>
		setQuery({ text, changed: changedOnly ? "1" : "", ...more });
	return (
		<>
			<p class="lead">{t("settings.lead")}</p>
			<Failure error={settings.error} retry={settings.reload} />
			<div class="filters">
				<TextField
					label={t("settings.search")}
					type="search"
					value={text}
					onInput={(typed) => search({ text: typed })}
				/>
				<CheckField
					label={t("settings.changed-only")}
					checked={changedOnly}
					onChange={(checked) =>
						search({ changed: checked ? "1" : "" })
					}
				/>
			</div>
			{settings.busy && !settings.list && <Loading />}
			{settings.list && found.length === 0 && (
				<EmptyState title={t("settings.none")} />
			)}
			{families(found).map(([family, members]) => (
				<Section title={family || t("settings.other")}>
					{members.map((setting) => (
						<SettingRow
							setting={setting}
							ask={(words) =>
								setAsked({ setting, words })
							}
						/>
					))}
				</Section>
			))}
			{asked && !asked.words && (
				<SettingDialog
					setting={asked.setting}
					onClose={() => setAsked(null)}
					onTyped={(words) => setAsked({ ...asked, words })}
				/>
			)}
			{asked?.words && (
				<ReviewDialog
					changes={[{ name: asked.setting.name, words: asked.words }]}
					onClose={() => setAsked(null)}
					onSaved={settings.reload}
				/>
			)}
		</>
	);
}

function families(settings: Setting[]): [string, Setting[]][] {
	const all = new Map<string, Setting[]>();
	for (const setting of settings) {
		const family = familyOf(setting.name);
		all.set(family, [...(all.get(family) ?? []), setting]);
	}
	return [...all];
}

function SettingRow({ setting, ask }: { setting: Setting; ask: (words: string[] | null) => void }) {
	const changeable = may("admin") && !setting.internal;
	return (
		<article class="setting">
			<div class="setting-head">
				<h3>
					<code>{setting.name}</code>
				</h3>
				{setting.internal && (
					<Badge state="off">{t("settings.internal")}</Badge>
				)}
				{isDefault(setting) && (
					<span class="muted">{t("settings.is-default")}</span>
				)}
				{changeable && (
					<div class="actions">
						{!isDefault(setting) &&
							setting.kind !== "secret" && (
								<Button
									kind="quiet"
									label={`${t("settings.to-default")}: ${setting.name}`}
									onClick={() => ask([])}
								>
									{t("settings.to-default")}
								</Button>
							)}
						<Button
							label={t("settings.edit-name", {
								name: setting.name,
							})}
							onClick={() => ask(null)}
						>
							{t("settings.edit")}
						</Button>
					</div>
				)}
			</div>
			<ValueOf setting={setting} />
			<p class="help" lang="en">
				{setting.help}
			</p>
		</article>
	);
}
