/* Parts without state of their own: buttons, badges, banners, boxes. */
import type { ComponentChildren } from "preact";
import { t } from "../texts";
import * as Icon from "./icons";

export interface ButtonProps {
	kind?: "plain" | "primary" | "danger" | "quiet";
	type?: "button" | "submit";
	busy?: boolean;
	disabled?: boolean;
	label?: string | undefined; /* what it does, where its words alone do not say it */
	onClick?: () => void;
	children: ComponentChildren;
}

export function Button({
	kind = "plain",
	type = "button",
	busy,
	disabled,
	label,
	...rest
}: ButtonProps) {
	return (
		<button
			type={type}
			class={`button ${kind}`}
			aria-label={label}
			aria-busy={busy ? "true" : undefined}
			disabled={disabled || busy}
			onClick={rest.onClick}
		>
			{busy && <Spinner small />}
			{rest.children}
		</button>
	);
}

export function LinkButton({
	href,
	kind = "plain",
	children,
	download,
}: {
	href: string;
	kind?: "plain" | "primary" | "quiet";
	children: ComponentChildren;
	download?: boolean;
}) {
	return (
		<a class={`button ${kind}`} href={href} download={download}>
			{children}
		</a>
	);
}

export type State = "ok" | "warning" | "bad" | "off" | "busy";

const shapes = {
	ok: Icon.StateOk,
	warning: Icon.StateWarning,
	bad: Icon.StateBad,
	off: Icon.StateOff,
	busy: Icon.StateBusy,
};

/* A state: its shape, its colour and its word. */
export function Badge({ state, children }: { state: State; children: ComponentChildren }) {
	const Shape = shapes[state];
	return (
		<span class={`badge ${state}`}>
			<Shape />
			<span>{children}</span>
		</span>
	);
}

export function Spinner({ small, children }: { small?: boolean; children?: ComponentChildren }) {
	return (
		<span
			class={small ? "spinner small" : "spinner"}
			role={children ? "status" : undefined}
		>
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<circle cx="8" cy="8" r="6" />
				<path d="M8 2a6 6 0 0 1 6 6" />
			</svg>
			{children}
		</span>
	);
}

export const Loading = () => <Spinner>{t("app.loading")}</Spinner>;

const bannerShapes = { ok: "ok", info: "off", warning: "warning", error: "bad" } as const;

/* Says something about the page around it. An error's `fix` says what to do. */
export function Banner({
	kind,
	title,
	fix,
	onDismiss,
	children,
}: {
	kind: "ok" | "info" | "warning" | "error";
	title: ComponentChildren;
	fix?: ComponentChildren;
	onDismiss?: () => void;
	children?: ComponentChildren;
}) {
	const Shape = shapes[bannerShapes[kind]];
	return (
		<div class={`banner ${kind}`}>
			<Shape />
			<div class="banner-body">
				<p class="banner-title">{title}</p>
				{fix && <p>{fix}</p>}
				{children}
			</div>
			{onDismiss && (
				<Button kind="quiet" label={t("do.dismiss")} onClick={onDismiss}>
					<Icon.Cross />
				</Button>
			)}
		</div>
	);
}

export function Failure({ error, retry }: { error: Error | null; retry?: () => void }) {
	if (!error) return null;
	return (
		<div role="alert">
			<Banner kind="error" title={t("error.failed")} fix={error.message}>
				{retry && <Button onClick={retry}>{t("do.retry")}</Button>}
			</Banner>
		</div>
	);
}

export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
	return (
		<div class="empty">
			<p class="empty-title">{title}</p>
			{children}
		</div>
	);
}

let boxes = 0;

/* A part of a page with its heading. */
export function Section({
	title,
	actions,
	children,
}: {
	title: ComponentChildren;
	actions?: ComponentChildren;
	children: ComponentChildren;
}) {
	return (
		<section class="section">
			<div class="section-head">
				<h2>{title}</h2>
				{actions && <div class="actions">{actions}</div>}
			</div>
			{children}
		</section>
	);
}

export interface Fact {
	name: ComponentChildren;
	value: ComponentChildren;
}

/* Names and values, one below the other. */
export function Facts({ facts }: { facts: Fact[] }) {
	return (
		<dl class="facts">
			{facts.map((fact) => (
				<div>
					<dt>{fact.name}</dt>
					<dd>{fact.value}</dd>
				</div>
			))}
		</dl>
	);
}

/* An id for labels, new with each call. */
export function newId(what: string): string {
	return `${what}-${++boxes}`;
}

/* A text in which `this` is something to type. */
export function Code({ text }: { text: string }) {
	return <>{text.split("`").map((part, i) => (i % 2 ? <code>{part}</code> : part))}</>;
}
