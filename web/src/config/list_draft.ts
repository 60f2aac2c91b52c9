/* A list that is being edited: what is there, what comes and what goes. Pure. */

export interface ListDraft {
	before: string[];
	added: string[];
	removed: string[];
}

export function draftOf(entries: string[]): ListDraft {
	return { before: entries, added: [], removed: [] };
}

/* Those that are there already are not added twice; one that was removed comes back. */
export function withAdded(draft: ListDraft, entries: string[]): ListDraft {
	const removed = draft.removed.filter((entry) => !entries.includes(entry));
	const there = new Set([...draft.before, ...draft.added]);
	const fresh = [...new Set(entries)].filter((entry) => !there.has(entry));
	return { ...draft, removed, added: [...draft.added, ...fresh] };
}

export function withRemoved(draft: ListDraft, entry: string): ListDraft {
	if (draft.added.includes(entry))
		return { ...draft, added: draft.added.filter((other) => other !== entry) };
	if (draft.removed.includes(entry) || !draft.before.includes(entry)) return draft;
	return { ...draft, removed: [...draft.removed, entry] };
}

export function isChanged(draft: ListDraft): boolean {
	return draft.added.length > 0 || draft.removed.length > 0;
}

export function entriesAfter(draft: ListDraft): string[] {
	const gone = new Set(draft.removed);
	return [...draft.before.filter((entry) => !gone.has(entry)), ...draft.added];
}

/* Domains in a text, with anything between them that no domain has. */
export function domainsOf(text: string): string[] {
	return text
		.split(/[\s,;]+/)
		.filter(Boolean)
		.map((domain) => domain.toLowerCase());
}
