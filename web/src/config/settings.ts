/* Settings as /settings tells them, and how their values are typed for `config set`. Pure. */

export type Plain = string | number | boolean | null;
export interface Secret {
	secret: string; /* its fingerprint; "": not set */
}
export type Row = Record<string, Plain | Secret>;
export type Value = Plain | Secret | Plain[] | Row[];

export interface RecordField {
	name: string;
	kind: "flag" | "choice" | "integer" | "secret" | "text";
	optional: boolean;
	least?: number;
	most?: number;
	choices?: string[];
}

export interface Setting {
	name: string;
	value: Value;
	default: Value;
	kind: "flag" | "choice" | "integer" | "secret" | "text" | "records";
	unit?: string;
	least?: number;
	most?: number;
	choices?: string[];
	fields?: RecordField[];
	effect: "at once" | "new streams";
	internal: boolean;
	help: string;
}

/* The route answers the list itself, or an object that has it. */
export function settingsOf(answer: Setting[] | { settings: Setting[] }): Setting[] {
	return Array.isArray(answer) ? answer : answer.settings;
}

export function isSecret(value: unknown): value is Secret {
	return typeof value === "object" && value !== null && "secret" in value;
}

export function isList(setting: Setting): boolean {
	return setting.kind !== "records" && Array.isArray(setting.default);
}

export function isPem(setting: Setting): boolean {
	return setting.kind === "text" && /(^|\.)(certificate|trust)$/.test(setting.name);
}

/* Records with a secret in them cannot be typed again whole: nobody can read the secret. */
export function hasSecretField(setting: Setting): boolean {
	return setting.fields?.some((field) => field.kind === "secret") ?? false;
}

export function isDefault(setting: Setting): boolean {
	return JSON.stringify(setting.value) === JSON.stringify(setting.default);
}

export function wordOf(value: Plain | Secret): string {
	if (value === true) return "on";
	if (value === false) return "off";
	if (isSecret(value)) return value.secret;
	return value === null ? "" : String(value);
}

/* A record's fields with one space between, without the empty ones at its end. */
export function lineOf(row: Row): string {
	return Object.values(row).map(wordOf).join(" ").trimEnd();
}

/* The words that `config set NAME` takes for this value: one for each entry. */
export function wordsOf(value: Value): string[] {
	if (Array.isArray(value))
		return value.map((entry) =>
			typeof entry === "object" && entry !== null
				? lineOf(entry as Row)
				: wordOf(entry),
		);
	return value === null ? [] : [wordOf(value)];
}

/* What was typed into a field with an entry on each line; spaces around and empty lines are nothing. */
export function entriesOf(text: string): string[] {
	return text
		.split("\n")
		.map((line) => line.trim().replace(/\s+/g, " "))
		.filter((line) => line !== "");
}

/* The part before the first dot; settings without one stand alone. */
export function familyOf(name: string): string {
	return name.includes(".") ? name.slice(0, name.indexOf(".")) : "";
}

/* Those in which all words of the text occur, in name, help or value. */
export function findSettings(settings: Setting[], text: string): Setting[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	return settings.filter((setting) => {
		const value = wordsOf(setting.value).join(" ");
		const hay = `${setting.name} ${setting.help} ${value}`.toLowerCase();
		return words.every((word) => hay.includes(word));
	});
}
