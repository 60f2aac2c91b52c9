/* An attempt, step by step: we on the left, the peer or DNS on the right, time down the middle. */
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, Time, type State } from "../ui";
import type { Attempt, Step } from "./data";
import { duration } from "./figures";
import { rungsOf, type Rung } from "./attempts";

export const ATTEMPT_STATES: Record<Attempt["state"], State> = {
	ready: "ok",
	failed: "bad",
	running: "busy",
	closed: "off",
};

const STEP_STATES: Record<Step["verdict"], State> = { ok: "ok", bad: "bad", info: "off" };
const STEPS = [
	"dns",
	"tcp",
	"stream",
	"features",
	"starttls",
	"tls",
	"certificate",
	"dialback",
	"verify",
	"sasl",
	"ready",
	"closed",
	"policy",
] as const;

function stepName(name: string): string {
	const known = STEPS.find((each) => each === name);
	return known ? t(`step.${known}`) : name;
}

function RungItem({ rung }: { rung: Rung }) {
	const { step, side, gap_ms, slow, stopped } = rung;
	const state = stopped ? "bad" : STEP_STATES[step.verdict];

	return (
		<li class={`rung ${side} ${step.verdict}${stopped ? " stopped" : ""}`}>
			<div class="rung-time">
				<span>{duration(step.at_ms, language.value)}</span>
				{slow && gap_ms !== null && (
					<span class="rung-gap">
						{t("why.waited", {
							time: duration(gap_ms, language.value),
						})}
					</span>
				)}
			</div>
			<div class="rung-body">
				<p class="rung-head">
					<Badge state={state}>
						<span class="rung-who">{t(`who.${step.who}`)}</span>
					</Badge>{" "}
					{step.name !== step.who && (
						<strong>{stepName(step.name)}</strong>
					)}
					{step.took_ms !== null && (
						<span class="rung-took">
							{duration(step.took_ms, language.value)}
						</span>
					)}
				</p>
				<p
					class={
						step.text.startsWith("<")
							? "rung-text xml"
							: "rung-text"
					}
				>
					{step.text}
				</p>
				{stopped && <p class="rung-stop">{t("why.stopped-here")}</p>}
			</div>
		</li>
	);
}

export function Ladder({ attempt }: { attempt: Attempt }) {
	return (
		<div class="ladder">
			<div class="ladder-sides" aria-hidden="true">
				<span>{attempt.local}</span>
				<span>{attempt.direction === "out" ? "→" : "←"}</span>
				<span>{attempt.remote}</span>
			</div>
			<ol class="rungs">
				{rungsOf(attempt).map((rung, i) => (
					<RungItem key={i} rung={rung} />
				))}
			</ol>
		</div>
	);
}

/* One line that says what became of an attempt. */
export function AttemptSummary({ attempt }: { attempt: Attempt }) {
	return (
		<span class="attempt-line">
			<Badge state={ATTEMPT_STATES[attempt.state]}>
				{t(`attempt.${attempt.state}`)}
			</Badge>
			<span>{attempt.direction === "out" ? t("why.out") : t("why.in")}</span>
			<span class="mono">
				{attempt.local} {attempt.direction === "out" ? "→" : "←"}{" "}
				{attempt.remote}
			</span>
			<Time ms={attempt.began} />
			<span class="numeric">{duration(attempt.took_ms, language.value)}</span>
			{attempt.failure && <code>{attempt.failure}</code>}
		</span>
	);
}

export function AttemptLinks({ attempt }: { attempt: Attempt }) {
	return (
		<p class="attempt-links">
			<span>
				{t("why.stream-id")} <code>{attempt.xcoder}</code>
			</span>
			<a href={href("/log", {}, { stream: attempt.xcoder })}>
				{t("why.its-log")}
			</a>
			<span>
				<Time ms={attempt.began} exact />
			</span>
		</p>
	);
}
