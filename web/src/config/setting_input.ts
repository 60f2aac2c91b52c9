/* What was typed for a setting: the words that it makes, or what is wrong with it. Pure. */
import { type Setting, entriesOf, isList, isPem } from "./settings";

export type Typed =
	| { words: string[] }
	| { wrong: "empty" }
	| { wrong: "not-number" }
	| { wrong: "out-of"; least: number; most: number };

function readInteger(setting: Setting, text: string): Typed {
	const word = text.trim();
	const value = Number(word);
	const least = setting.least ?? Number.MIN_SAFE_INTEGER;
	const most = setting.most ?? Number.MAX_SAFE_INTEGER;
	if (!/^-?\d+$/.test(word)) return { wrong: "not-number" };
	if (value < least || value > most) return { wrong: "out-of", least, most };
	return { words: [word] };
}

export function readTyped(setting: Setting, text: string): Typed {
	if (setting.kind === "records" || isList(setting)) return { words: entriesOf(text) };
	if (setting.kind === "integer") return readInteger(setting, text);
	if (text.trim() === "") return { wrong: "empty" };
	if (setting.kind === "secret") return { words: [text] }; /* spaces may be meant */
	return { words: [isPem(setting) ? text.trim() + "\n" : text.trim()] };
}
