/* Edits a setting that is a list: add, remove, find; then review and save as one change. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { may } from "../api";
import { t } from "../texts";
import { Banner, Button, EmptyState, Section, TextField } from "../ui";
import { type ListDraft, draftOf, entriesAfter, isChanged, withRemoved } from "./list_draft";
import { ReviewDialog } from "./review";

const SHOWN_MOST = 200;

export function ListEditor({
	setting,
	entries,
	show,
	add,
	onSaved,
}: {
	setting: string; /* its name */
	entries: string[];
	show: (entry: string) => ComponentChildren;
	add: (draft: ListDraft, change: (draft: ListDraft) => void) => ComponentChildren;
	onSaved: () => void;
}) {
	const [draft, setDraft] = useState(draftOf(entries));
	const [find, setFind] = useState("");
	const [reviewing, setReviewing] = useState(false);
	const admin = may("admin");

	useEffect(() => setDraft(draftOf(entries)), [entries]);
	const all = [...draft.added, ...draft.before];
	const found = all.filter((entry) => entry.includes(find.toLowerCase().trim()));
	const change = (entry: string) => (
		<Entry entry={entry} draft={draft} show={show} setDraft={admin ? setDraft : null} />
	);
	return (
		<>
			{admin ? (
				<Section title={t("do.add")}>{add(draft, setDraft)}</Section>
			) : (
				<Banner kind="info" title={t("review.viewer")} />
			)}
			{isChanged(draft) && (
				<Pending
					draft={draft}
					review={() => setReviewing(true)}
					undo={() => setDraft(draftOf(entries))}
				/>
			)}
			<Section title={`${t("list.entries")} (${entriesAfter(draft).length})`}>
				{all.length > 10 && (
					<TextField
						label={t("list.filter")}
						type="search"
						value={find}
						onInput={setFind}
					/>
				)}
				{all.length === 0 && <EmptyState title={t("list.empty")} />}
				{found.length > SHOWN_MOST && (
					<p class="muted">
						{t("list.shown", {
							shown: SHOWN_MOST,
							count: found.length,
						})}
					</p>
				)}
				<ul class="entries">{found.slice(0, SHOWN_MOST).map(change)}</ul>
			</Section>
			{reviewing && (
				<ReviewDialog
					changes={[{ name: setting, words: entriesAfter(draft) }]}
					onClose={() => setReviewing(false)}
					onSaved={onSaved}
				/>
			)}
		</>
	);
}

function Pending({
	draft,
	review,
	undo,
}: {
	draft: ListDraft;
	review: () => void;
	undo: () => void;
}) {
	const counts = { added: draft.added.length, removed: draft.removed.length };
	return (
		<div role="status">
			<Banner
				kind="warning"
				title={t("list.changed")}
				fix={t("list.changes", counts)}
			>
				<div class="actions">
					<Button kind="primary" onClick={review}>
						{t("review.do")}
					</Button>
					<Button onClick={undo}>{t("review.undo")}</Button>
				</div>
			</Banner>
		</div>
	);
}

function Entry({
	entry,
	draft,
	show,
	setDraft,
}: {
	entry: string;
	draft: ListDraft;
	show: (entry: string) => ComponentChildren;
	setDraft: ((draft: ListDraft) => void) | null;
}) {
	const added = draft.added.includes(entry);
	const removed = draft.removed.includes(entry);
	const back = { ...draft, removed: draft.removed.filter((other) => other !== entry) };
	return (
		<li class={added ? "becomes" : removed ? "was" : undefined}>
			<span class="sign" aria-hidden="true">
				{added ? "+" : removed ? "-" : ""}
			</span>
			<span class="entry">
				{removed ? <del>{show(entry)}</del> : show(entry)}
			</span>
			{setDraft &&
				(removed ? (
					<Button kind="quiet" onClick={() => setDraft(back)}>
						{t("list.keep")}
					</Button>
				) : (
					<Button
						kind="quiet"
						label={t("list.remove", { name: entry })}
						onClick={() => setDraft(withRemoved(draft, entry))}
					>
						{t("do.remove")}
					</Button>
				))}
		</li>
	);
}
