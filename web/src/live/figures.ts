/* Figures as people read them: short, of one width, with their unit. The language decides on commas
 * and points; units are the same in both. Pure. */

const NBSP = "\u00a0";

export function whole(value: number, language: string): string {
	return new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
}

/* A second: 0.3, 12, 1.2k. */
export function perSecond(rate: number, language: string): string {
	const digits = rate > 0 && rate < 10 ? 1 : 0;
	return new Intl.NumberFormat(language, {
		maximumFractionDigits: digits,
		minimumFractionDigits: digits,
	}).format(rate);
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number, language: string): string {
	let unit = 0;
	let left = value;

	while (left >= 1024 && unit < SIZES.length - 1) {
		left /= 1024;
		unit++;
	}
	const shown = new Intl.NumberFormat(language, {
		maximumFractionDigits: unit > 0 && left < 100 ? 1 : 0,
	}).format(left);
	return `${shown}${NBSP}${SIZES[unit]}`;
}

/* As the command line has it: 5s, 3m05s, 2h07m, 4d03h. */
export function age(seconds: number): string {
	const s = Math.max(0, Math.floor(seconds));
	const two = (n: number) => String(n).padStart(2, "0");

	if (s < 60) {
		return `${s}s`;
	}
	if (s < 3600) {
		return `${Math.floor(s / 60)}m${two(s % 60)}s`;
	}
	if (s < 86400) {
		return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
	}
	return `${Math.floor(s / 86400)}d${two(Math.floor(s / 3600) % 24)}h`;
}

/* Of a step: 0 ms, 12 ms, 1.25 s, 30 s. */
export function duration(ms: number, language: string): string {
	if (ms < 1000) {
		return `${whole(ms, language)}${NBSP}ms`;
	}
	const digits = ms < 10_000 ? 2 : ms < 100_000 ? 1 : 0;
	const shown = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(
		ms / 1000,
	);
	return `${shown}${NBSP}s`;
}
