/*
 * The event log: what all processes of this node say, filtered, live. The newest stands on top, so
 * that one sees it come; what one reads stays where it is, and holding it stops it altogether.
 */
import type { LogEvent } from "../live/data";
import { EventItem } from "../live/event_item";
import { whole } from "../live/figures";
import { LogFilters } from "../live/log_filters";
import { filterOf, type Filter } from "../live/log_tail";
import { KEPT, useTail, type Log } from "../live/tail_hook";
import { language } from "../preferences";
import { place, setQuery } from "../router";
import { t } from "../texts";
import { Badge, Button, EmptyState, Failure, Loading } from "../ui";

/* Upon the filter of this moment: an event that is not drawn again must not keep an old one. */
function setFilter(change: Partial<Filter>): void {
	setQuery({ ...filterOf(place.peek().query), ...change });
}

export function LogPage() {
	const filter = filterOf(place.value.query);
	const log = useTail(filter);
	const { tail } = log;

	return (
		<>
			<LogFilters filter={filter} onChange={setFilter} />
			<Tools log={log} />
			{log.error && <Failure error={log.error} retry={log.reload} />}
			{!tail && !log.error && <Loading />}
			{tail && tail.events.length === 0 && <EmptyState title={t("log.none")} />}
			{tail && tail.events.length > 0 && (
				<>
					<Events events={tail.events} onFilter={setFilter} />
					<Older log={log} full={tail.events.length >= KEPT} />
				</>
			)}
		</>
	);
}

function Tools({ log }: { log: Log }) {
	const { tail, connection } = log;
	const waiting = (tail?.aside.length ?? 0) + (tail?.missed ?? 0);

	return (
		<div class="log-tools">
			{tail?.paused ? (
				<Badge state="off">{t("log.held")}</Badge>
			) : connection === "live" ? (
				<Badge state="ok">{t("live.live")}</Badge>
			) : connection === "lost" ? (
				<Badge state="bad">{t("live.lost")}</Badge>
			) : (
				<Badge state="busy">{t("live.connecting")}</Badge>
			)}
			<Button onClick={log.hold} disabled={!tail}>
				{tail?.paused ? t("log.resume") : t("log.hold")}
			</Button>
			<span class="muted">
				{t("log.count", {
					count: whole(tail?.events.length ?? 0, language.value),
				})}
				{tail?.paused &&
					waiting > 0 &&
					`, ${t("log.waiting", { count: waiting })}`}
				{tail &&
					tail.missed > 0 &&
					`, ${t("log.missed", { count: tail.missed })}`}
			</span>
		</div>
	);
}

function Events({
	events,
	onFilter,
}: {
	events: LogEvent[];
	onFilter: (change: Partial<Filter>) => void;
}) {
	const newestFirst = [...events].reverse();

	return (
		<ol class="events" aria-label={t("log.list")}>
			{newestFirst.map((event) => (
				<EventItem key={event.seq} event={event} onFilter={onFilter} />
			))}
		</ol>
	);
}

function Older({ log, full }: { log: Log; full: boolean }) {
	if (full) return <p class="muted">{t("log.full", { count: KEPT })}</p>;
	if (log.older === "none") return <p class="muted">{t("log.no-older")}</p>;
	return (
		<div class="actions">
			<Button busy={log.older === "busy"} onClick={() => void log.loadOlder()}>
				{t("log.older")}
			</Button>
		</div>
	);
}
