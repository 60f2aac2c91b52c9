/* Times as people read them, in the chosen language; the clock has 24 hours in both. */
import { language } from "./preferences";

function locale(): string {
	return language.value === "en" ? "en-GB" : language.value;
}

export function formatMoment(ms: number): string {
	return new Intl.DateTimeFormat(locale(), {
		dateStyle: "medium",
		timeStyle: "medium",
	}).format(ms);
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [
	["day", 86400],
	["hour", 3600],
	["minute", 60],
	["second", 1],
];

/* "3 minutes ago", "in 2 days", by the clock `now_ms`. */
export function formatDistance(ms: number, now_ms: number): string {
	const seconds = Math.round((ms - now_ms) / 1000);
	const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? [
		"second",
		1,
	];
	return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(
		Math.trunc(seconds / size),
		unit,
	);
}
