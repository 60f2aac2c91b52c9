/* What this browser's user prefers: language and scheme. Kept in the browser. */
import { effect, signal } from "@preact/signals";
import { remember, remembered } from "./memory";

export type Language = "en" | "de";
export type Scheme = "auto" | "light" | "dark";

function kept<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
	return allowed.find((choice) => choice === remembered(name)) ?? otherwise;
}

const browserSpeaks: Language =
	typeof navigator !== "undefined" && navigator.language?.startsWith("de") ? "de" : "en";

export const language = signal<Language>(kept("language", ["en", "de"] as const, browserSpeaks));
export const scheme = signal<Scheme>(kept("scheme", ["auto", "light", "dark"] as const, "auto"));

/* Keeps the document and the browser's memory as the signals are. */
export function applyPreferences(): void {
	effect(() => {
		document.documentElement.lang = language.value;
		remember("language", language.value);
	});
	effect(() => {
		document.documentElement.dataset.scheme = scheme.value;
		remember("scheme", scheme.value);
	});
}
