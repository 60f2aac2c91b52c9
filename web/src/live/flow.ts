/*
 * Rates from counters: what went through between two looks at the status. A counter that is smaller
 * than before belongs to a process that was started again, and gives no rate this once.
 */

export interface Look {
	ms: number;
	counters: Record<string, number>;
}

export interface Flow {
	/* stanzas a second; null: not known yet */
	in: number | null;
	out: number | null;
	bounced: number | null;
}

export const NO_FLOW: Flow = { in: null, out: null, bounced: null };

function rate(name: string, before: Look, now: Look): number | null {
	const was = before.counters[name];
	const is = now.counters[name];
	const seconds = (now.ms - before.ms) / 1000;

	if (was === undefined || is === undefined || is < was || seconds <= 0) return null;
	return (is - was) / seconds;
}

export function flowOf(before: Look | null, now: Look): Flow {
	if (!before) return NO_FLOW;
	return {
		in: rate("stanzas.in", before, now),
		out: rate("stanzas.out", before, now),
		bounced: rate("stanzas.bounced", before, now),
	};
}

/*
 * The looks of the last seconds, so that the rate is that of a few seconds and not of the moment
 * between two events that came close together. `span_ms` is how far back one looks.
 */
export class Looks {
	private looks: Look[] = [];

	constructor(private readonly span_ms: number) {}

	add(look: Look): Flow {
		const last = this.looks[this.looks.length - 1];

		if (last && look.ms <= last.ms)
			return flowOf(
				this.looks[0] === last ? null : (this.looks[0] ?? null),
				last,
			);
		this.looks = this.looks.filter((past) => look.ms - past.ms <= this.span_ms);
		this.looks.push(look);
		return flowOf(
			this.looks[0] === look ? (last ?? null) : (this.looks[0] ?? null),
			look,
		);
	}
}
