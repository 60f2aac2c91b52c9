/*
 * An attempt as a ladder: its steps in order, each with the side it stands on, what it waited for,
 * and the one where it stopped. Pure.
 */
import type { Attempt, Step, Why } from "./data";

export interface Rung {
	step: Step;
	/* left is us, right is the other side: the peer or DNS */
	side: "us" | "them";
	/* since the step before; null at the first */
	gap_ms: number | null;
	/* this is what one waited for: the longest pause of a slow attempt */
	slow: boolean;
	stopped: boolean;
}

const SLOW_MS = 1000;

/* The last bad step of one that failed: what came before may have been tried and passed over. */
function stoppedAt(attempt: Attempt): number {
	if (attempt.state !== "failed") return -1;
	const bad = attempt.steps.map((step) => step.verdict === "bad").lastIndexOf(true);
	return bad >= 0 ? bad : attempt.steps.length - 1;
}

export function rungsOf(attempt: Attempt): Rung[] {
	const stop = stoppedAt(attempt);
	const gaps = attempt.steps.map((step, i) => {
		const before = attempt.steps[i - 1];
		return before ? Math.max(0, step.at_ms - before.at_ms) : null;
	});
	const longest = Math.max(...gaps.map((gap) => gap ?? 0));

	return attempt.steps.map((step, i) => ({
		step,
		side: step.who === "us" || step.who === "policy" ? "us" : "them",
		gap_ms: gaps[i] ?? null,
		slow: longest >= SLOW_MS && gaps[i] === longest,
		stopped: i === stop,
	}));
}

/*
 * The attempt that the headline speaks of: the newest with its failure, otherwise the newest
 * outbound one that is up, otherwise the newest.
 */
export function attemptToShow(why: Why): Attempt | undefined {
	const attempts = why.attempts ?? [];
	const failed = why.failure
		? attempts.find((attempt) => attempt.failure === why.failure)
		: undefined;
	const ready = attempts.find(
		(attempt) => attempt.direction === "out" && attempt.state === "ready",
	);

	return failed ?? ready ?? attempts[0];
}

/* What an edge says, once for each: a core answers for several, an edge for itself. */
export function perNode(why: Why): Why[] {
	return why.nodes && why.nodes.length > 0 ? why.nodes : [why];
}
