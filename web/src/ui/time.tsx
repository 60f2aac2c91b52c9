/* A moment: how long ago, with the exact time on it. */
import { signal } from "@preact/signals";
import { formatDistance, formatMoment } from "../format";

const TICK_MS = 10000;

export const now = signal(Date.now());
if (typeof document !== "undefined")
	setInterval(() => {
		now.value = Date.now();
	}, TICK_MS);

export function Time({ ms, exact }: { ms: number; exact?: boolean }) {
	const moment = formatMoment(ms);
	return (
		<time dateTime={new Date(ms).toISOString()} title={moment}>
			{exact ? moment : formatDistance(ms, Math.max(now.value, Date.now()))}
		</time>
	);
}
