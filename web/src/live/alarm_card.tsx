/* An alarm: what is wrong, since when, what was seen, why, and what to do. */
import { session } from "../api";
import { findPage } from "../pages";
import { href } from "../router";
import { t } from "../texts";
import { Badge, Facts, LinkButton, Time, type State } from "../ui";
import { isGrave, type Alarm } from "./data";
import { mendingOf } from "./mending";

const SEVERITIES = ["critical", "error", "alert", "warning"] as const;

function severityWord(severity: string): string {
	const known = SEVERITIES.find((each) => each === severity.toLowerCase());
	return known ? t(`severity.${known}`) : severity;
}

function stateOf(alarm: Alarm): State {
	return isGrave(alarm.severity) ? "bad" : "warning";
}

/* "Mend it": where on this page, if such a page is there. */
function MendLink({ alarm }: { alarm: Alarm }) {
	const place = mendingOf(alarm, session.value?.node.role);
	const page = place && findPage(place.path)?.page;

	if (!place || !page) return null;
	return (
		<LinkButton kind="primary" href={href(place.path, {}, place.query ?? {})}>
			{t("alarms.mend", { page: t(page.title) })}
		</LinkButton>
	);
}

export function AlarmCard({
	alarm,
	node,
	marked,
}: {
	alarm: Alarm;
	node?: string; /* who told it, if not this node */
	marked: boolean;
}) {
	const since = alarm.since ? Date.parse(alarm.since) : NaN;
	const Heading = node ? "h3" : "h2"; /* others' stand below a heading of their node */
	const facts = [
		{ name: t("alarms.seen"), value: alarm.seen },
		{ name: t("word.cause"), value: alarm.cause },
		{ name: t("word.fix"), value: alarm.fix },
	].filter((fact) => fact.value);

	return (
		<article class={`alarm ${stateOf(alarm)}${marked ? " marked" : ""}`}>
			<div class="alarm-head">
				<Badge state={stateOf(alarm)}>{severityWord(alarm.severity)}</Badge>
				<Heading>
					{alarm.title}
					{alarm.subject && (
						<span class="subject">{alarm.subject}</span>
					)}
				</Heading>
				<span class="muted">{alarm.number}</span>
				{!Number.isNaN(since) && (
					<span class="muted">
						{t("alarms.since")} <Time ms={since} />
					</span>
				)}
			</div>
			<Facts facts={facts} />
			{node ? (
				<p class="help">{t("alarms.look-there", { node })}</p>
			) : (
				<div class="actions">
					<MendLink alarm={alarm} />
				</div>
			)}
		</article>
	);
}
