/*
 * All that the page says, in English and German: t("key"), t("key", { name: value }).
 * Each part of the page has a table of its own in texts/; a key that one language lacks, or a
 * value that a text does not take, does not compile.
 */
import { language } from "./preferences";
import * as config from "./texts/config";
import * as diagnosis from "./texts/diagnosis";
import * as frame from "./texts/frame";
import * as live from "./texts/live";

const english = { ...frame.en, ...config.en, ...live.en, ...diagnosis.en };
export type Key = keyof typeof english;
const german: Record<Key, string> = { ...frame.de, ...config.de, ...live.de, ...diagnosis.de };

export const tables: Record<"en" | "de", Record<Key, string>> = { en: english, de: german };

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
	? Name | Names<Rest>
	: never;
type Values<K extends Key> = [Names<(typeof english)[K]>] extends [never]
	? []
	: [values: Record<Names<(typeof english)[K]>, string | number>];
/* The keys of texts that take no values. */
export type PlainKey = { [K in Key]: Values<K> extends [] ? K : never }[Key];

export function t<K extends Key>(key: K, ...values: Values<K>): string {
	return fill(tables[language.value][key], values[0] ?? {});
}

export function fill(text: string, values: Record<string, string | number>): string {
	return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
