/* Types a new value for one setting, by what the table says of it. */
import { useState } from "preact/hooks";
import { t } from "../texts";
import { AreaField, Banner, Button, Code, Dialog, Facts, SelectField, TextField } from "../ui";
import { type Typed, readTyped } from "./setting_input";
import { defaultText } from "./setting_value";
import { type Setting, hasSecretField, isList, isPem, wordsOf } from "./settings";

function textOf(setting: Setting): string {
	if (setting.kind === "secret") return "";
	return wordsOf(setting.value).join("\n");
}

export function SettingDialog({
	setting,
	onClose,
	onTyped,
}: {
	setting: Setting;
	onClose: () => void;
	onTyped: (words: string[]) => void;
}) {
	const [text, setText] = useState(textOf(setting));
	const typed = readTyped(setting, text);
	const locked = hasSecretField(setting);
	return (
		<Dialog
			title={t("settings.edit-name", { name: setting.name })}
			onClose={onClose}
			wide
		>
			<p lang="en">{setting.help}</p>
			<Facts facts={factsOf(setting)} />
			{locked ? (
				<Elsewhere setting={setting} />
			) : (
				<form
					class="full"
					onSubmit={(event) => {
						event.preventDefault();
						if ("words" in typed) onTyped(typed.words);
					}}
				>
					<Input
						setting={setting}
						text={text}
						setText={setText}
						typed={typed}
					/>
					<div class="actions">
						<Button
							type="submit"
							kind="primary"
							disabled={"wrong" in typed}
						>
							{t("review.do")}
						</Button>
						<Button onClick={onClose}>{t("do.cancel")}</Button>
					</div>
				</form>
			)}
		</Dialog>
	);
}

function factsOf(setting: Setting) {
	const effect = setting.effect === "at once" ? "settings.at-once" : "settings.new-streams";
	return [
		{ name: t("settings.default"), value: defaultText(setting) },
		{ name: t("settings.effect"), value: t(effect) },
	];
}

const pages: Record<string, string> = {
	home_servers: "page.home-servers",
	"admin.accounts": "page.accounts",
};

function Elsewhere({ setting }: { setting: Setting }) {
	const page = pages[setting.name];
	const where = page
		? t("settings.with-page", { page: t(page as "page.accounts") })
		: t("settings.with-command", { name: setting.name });
	return <Banner kind="info" title={<Code text={t("settings.elsewhere", { where })} />} />;
}

function errorOf(typed: Typed): string | null {
	if (!("wrong" in typed) || typed.wrong === "empty") return null;
	if (typed.wrong === "not-number") return t("settings.not-number");
	return t("settings.out-of", { least: typed.least, most: typed.most });
}

function limitsOf(setting: Setting): string | undefined {
	const { least, most } = setting;
	return least === undefined || most === undefined
		? undefined
		: t("settings.limits", { least, most });
}

interface InputProps {
	setting: Setting;
	text: string;
	setText: (text: string) => void;
	typed: Typed;
}

function Input({ setting, text, setText, typed }: InputProps) {
	const common = { label: t("settings.value"), value: text };
	if (setting.kind === "flag" || setting.kind === "choice")
		return (
			<SelectField
				{...common}
				choices={(setting.choices ?? ["on", "off"]).map((value) => ({
					value,
					label: value,
				}))}
				onChange={setText}
			/>
		);
	if (setting.kind === "records" || isList(setting) || isPem(setting))
		return (
			<AreaField
				{...common}
				help={areaHelp(setting)}
				rows={8}
				onInput={setText}
			/>
		);
	if (setting.kind === "integer")
		return (
			<TextField
				{...common}
				type="number"
				help={limitsOf(setting)}
				error={errorOf(typed)}
				onInput={setText}
				{...(setting.unit ? { suffix: setting.unit } : {})}
			/>
		);
	if (setting.name.endsWith("private_key"))
		return (
			<AreaField
				{...common}
				help={t("settings.pem")}
				rows={8}
				onInput={setText}
			/>
		);
	return (
		<TextField
			{...common}
			type={setting.kind === "secret" ? "password" : "text"}
			autocomplete="new-password"
			onInput={setText}
		/>
	);
}

function areaHelp(setting: Setting): string {
	if (isPem(setting)) return t("settings.pem");
	const fields = setting.fields?.map((field) =>
		field.optional ? `[${field.name.toUpperCase()}]` : field.name.toUpperCase(),
	);
	return fields
		? t("settings.record-lines", { fields: fields.join(" ") })
		: t("settings.lines");
}
