/* A setting's value for people, and what the table allows for it. */
import { t } from "../texts";
import { type Row, type Setting, isPem, isSecret, lineOf, wordOf, wordsOf } from "./settings";

const SHOWN_MOST = 8;

function shown(setting: Setting): string[] {
	const { value } = setting;
	if (isSecret(value))
		return [
			value.secret
				? t("settings.secret", { fingerprint: value.secret })
				: t("settings.not-set"),
		];
	if (setting.kind === "secret" || value === null) return [t("settings.not-set")];
	if (setting.kind === "records")
		return (value as Row[]).map((row) => lineOf(withoutSecrets(row)));
	if (Array.isArray(value)) return value.map((entry) => wordOf(entry as string));
	return [[wordOf(value), setting.unit].filter(Boolean).join(" ")];
}

function withoutSecrets(row: Row): Row {
	return Object.fromEntries(
		Object.entries(row).map(([name, value]) => [name, isSecret(value) ? "(…)" : value]),
	);
}

export function ValueOf({ setting }: { setting: Setting }) {
	const lines = shown(setting);
	if (lines.length === 0) return <p class="muted">{t("settings.empty-list")}</p>;
	if (isPem(setting) && setting.value)
		return (
			<details>
				<summary>PEM</summary>
				<pre>{lines[0]}</pre>
			</details>
		);
	return (
		<ul class="value">
			{lines.slice(0, SHOWN_MOST).map((line) => (
				<li>{line}</li>
			))}
			{lines.length > SHOWN_MOST && (
				<li class="muted">
					{t("settings.more", { count: lines.length - SHOWN_MOST })}
				</li>
			)}
		</ul>
	);
}

export function defaultText(setting: Setting): string {
	const words = wordsOf(setting.default);
	const text = words.join(", ") || t("settings.not-set");
	return setting.unit ? `${text} ${setting.unit}` : text;
}
