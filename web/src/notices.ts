/* The banner at the top: what was done, or what went wrong and how to mend it. */
import { signal } from "@preact/signals";

export type NoticeKind = "ok" | "info" | "warning" | "error";

export interface Notice {
	kind: NoticeKind;
	text: string;
	more?: string;
}

export const notice = signal<Notice | null>(null);

export function say(kind: NoticeKind, text: string, more?: string): void {
	notice.value = more ? { kind, text, more } : { kind, text };
}

export function sayError(thrown: unknown): void {
	say("error", thrown instanceof Error ? thrown.message : String(thrown));
}
