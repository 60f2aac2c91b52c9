/* One event of the log. What is pressed in it becomes the filter: its stream's life, its domain. */
import { memo } from "./memo";
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, type State } from "../ui";
import type { LogEvent } from "./data";
import type { Filter } from "./log_tail";

const STATES: Record<string, State> = { ERROR: "bad", WARN: "warning", INFO: "ok", DEBUG: "off" };

function clock(time: string): string {
	const at = new Date(time);
	if (Number.isNaN(at.getTime())) return time;
	return new Intl.DateTimeFormat(language.value, {
		hour: "2-digit",
		minute: "2-digit",
		second: "2-digit",
		fractionalSecondDigits: 3,
		hourCycle: "h23",
	}).format(at);
}

function Fields({ fields }: { fields: Record<string, string> }) {
	return (
		<>
			{Object.entries(fields).map(([key, value]) => (
				<span class="event-field">
					{key}="{value}"{" "}
				</span>
			))}
		</>
	);
}

/* Those that do not stand in the detail already. */
function fieldsBeside(event: LogEvent): Record<string, string> {
	const all = Object.entries(event.fields ?? {});
	return Object.fromEntries(all.filter(([key]) => !event.detail.includes(`${key}="`)));
}

interface Props {
	event: LogEvent;
	onFilter: (change: Partial<Filter>) => void;
}

function Item({ event, onFilter }: Props) {
	const { xcoder, domains } = event;
	return (
		<li class={`event ${event.level.toLowerCase()}`}>
			<div class="event-head">
				<time dateTime={event.time} title={event.time}>
					{clock(event.time)}
				</time>
				<Badge state={STATES[event.level] ?? "off"}>{event.level}</Badge>
				<span class="mono">{event.location}</span>
				<span class="muted">
					{event.module} · {event.process}
				</span>
			</div>
			<p class="event-detail">
				{event.detail} <Fields fields={fieldsBeside(event)} />
			</p>
			{(xcoder || domains?.length) && (
				<div class="event-links">
					{xcoder && (
						<button
							type="button"
							class="chip"
							aria-label={t("log.filter-stream", {
								xcoder,
							})}
							onClick={() => onFilter({ stream: xcoder })}
						>
							{xcoder}
						</button>
					)}
					{domains?.map((domain) => (
						<span class="chip-pair">
							<button
								type="button"
								class="chip"
								aria-label={t("log.filter-domain", {
									domain,
								})}
								onClick={() => onFilter({ domain })}
							>
								{domain}
							</button>
							<a
								href={href("/why/:domain", {
									domain,
								})}
								aria-label={t("log.why-domain", {
									domain,
								})}
							>
								{t("page.why")}
							</a>
						</span>
					))}
				</div>
			)}
		</li>
	);
}

/* An event never changes: with a thousand of them, one more must not draw all again. */
export const EventItem = memo(Item, (before: Props, now: Props) => before.event === now.event);
