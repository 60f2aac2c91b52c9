/*
 * The node's JSON API (docs/api.md): reads, commands, sessions, and server-sent events that come
 * back by themselves. Every failure is an ApiError whose text is for people.
 */
import { batch, signal } from "@preact/signals";
import { remember, remembered } from "./memory";
import { t } from "./texts";

export type Role = "edge" | "core" | "home";
export type Access = "view" | "operate" | "admin";

export interface Session {
	name: string;
	access: Access;
	csrf: string;
	node: { name: string; role: Role };
	release: string;
}

export class ApiError extends Error {
	/* 0: nothing was answered at all */
	constructor(
		readonly status: number,
		message: string,
	) {
		super(message);
	}
}

/* undefined: not asked yet; null: not logged in. */
export const session = signal<Session | null | undefined>(undefined);
/* Somebody was logged in, and the node says that it is over. */
export const sessionEnded = signal(false);

const ranks: Access[] = ["view", "operate", "admin"];

export function may(access: Access): boolean {
	const own = session.value?.access;
	return own !== undefined && ranks.indexOf(own) >= ranks.indexOf(access);
}

/* Whether somebody logged in with this browser: without, the node need not be asked who it is. */
const ENTERED = "entered";

function endSession(): void {
	remember(ENTERED, "");
	batch(() => {
		if (session.peek()) sessionEnded.value = true;
		session.value = null;
	});
}

async function failure(response: Response): Promise<ApiError> {
	let text = `${response.status} ${response.statusText}`;
	try {
		const answer: unknown = await response.json();
		if (typeof answer === "object" && answer && "error" in answer)
			text = String(answer.error);
	} catch {
		/* the status says it */
	}
	return new ApiError(response.status, text);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
	let response: Response;
	try {
		response = await fetch("/api/v1/" + path, { credentials: "same-origin", ...init });
	} catch (error) {
		if (init.signal?.aborted) throw error;
		throw new ApiError(0, `${t("error.network")}. ${t("error.network-fix")}`);
	}
	if (response.ok) return response;
	if (response.status === 401 && path !== "login") endSession();
	throw await failure(response);
}

/* `alone`: the page asks by itself, which is no sign that somebody sits before it. */
export async function get<T>(path: string, abort?: AbortSignal, alone = false): Promise<T> {
	const headers: Record<string, string> = alone ? { "X-Sallyport-Background": "1" } : {};
	const response = await ask(path, { signal: abort ?? null, headers });
	return (await response.json()) as T;
}

async function post<T>(path: string, body: unknown): Promise<T> {
	const headers: Record<string, string> = { "Content-Type": "application/json" };
	const csrf = session.peek()?.csrf;
	if (csrf) headers["X-Sallyport-CSRF"] = csrf;
	const response = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
	return (response.status === 204 ? undefined : await response.json()) as T;
}

export interface Reply<T = unknown> {
	status: number; /* 0: done */
	text: string;
	data?: T;
}

/* As on the command line, also what is refused: look at the status. */
export function askCommand<T = unknown>(...words: string[]): Promise<Reply<T>> {
	return post<Reply<T>>("command", { command: words });
}

/* As on the command line; what is refused is an error. */
export async function command<T = unknown>(...words: string[]): Promise<Reply<T>> {
	const reply = await askCommand<T>(...words);
	if (reply.status !== 0) throw new ApiError(reply.status, reply.text || t("error.refused"));
	return reply;
}

export async function loadSession(): Promise<void> {
	if (!remembered(ENTERED)) {
		session.value = null;
		return;
	}
	try {
		session.value = await get<Session>("session");
	} catch (error) {
		session.value = null;
		if (!(error instanceof ApiError && error.status === 401)) throw error;
	}
}

async function enter(path: string, body: unknown): Promise<void> {
	await post(path, body);
	remember(ENTERED, "yes");
	sessionEnded.value = false;
	await loadSession();
}

export const logIn = (name: string, password: string) => enter("login", { name, password });
export const welcome = (token: string, password: string) => enter("welcome", { token, password });
export const changePassword = (old: string, fresh: string) =>
	post<void>("password", { old, new: fresh });

export async function logOut(): Promise<void> {
	await post<void>("logout", {});
	remember(ENTERED, "");
	session.value = null;
	sessionEnded.value = false;
}

export type Connection = "connecting" | "live" | "lost";
export type Handlers = Record<string, (data: unknown) => void>;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const HIDDEN_MS = 30000;

/*
 * Listens to /live?QUERY until the function that it returns is called; comes back after breaks. A
 * browser has six connections to a node, so a page that nobody sees gives its own back for a while.
 */
export function listen(
	query: Record<string, string>,
	handlers: Handlers,
	tell: (connection: Connection) => void = () => {},
): () => void {
	let source: EventSource | null = null;
	let wait = FIRST_WAIT_MS;
	let retry = 0;
	let sleep = 0;
	let ended = false;

	const open = () => {
		source = new EventSource("/api/v1/live?" + new URLSearchParams(query));
		source.onopen = () => {
			wait = FIRST_WAIT_MS;
			tell("live");
		};
		source.onerror = lose;
		for (const [name, handle] of Object.entries(handlers))
			source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
	};
	const close = () => {
		clearTimeout(retry);
		source?.close();
		source = null;
	};
	const lose = () => {
		close();
		tell("lost");
		retry = window.setTimeout(again, wait);
		wait = Math.min(wait * 2, LONGEST_WAIT_MS);
	};
	/* An event source does not tell why it failed: the session may be over. */
	const again = async () => {
		try {
			await get("session", undefined, true);
		} catch (error) {
			if (error instanceof ApiError && error.status === 401) return;
		}
		if (!ended && !source && !document.hidden) open();
	};
	const seen = () => {
		clearTimeout(sleep);
		if (document.hidden) {
			sleep = window.setTimeout(close, HIDDEN_MS);
		} else if (!source) {
			clearTimeout(retry);
			tell("connecting");
			open();
		}
	};
	document.addEventListener("visibilitychange", seen);
	tell("connecting");
	open();
	return () => {
		ended = true;
		document.removeEventListener("visibilitychange", seen);
		clearTimeout(sleep);
		close();
	};
}
