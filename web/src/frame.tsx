/* What stands around every page: the node, how it is, the menu, the account, the banner. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { AccountMenu } from "./account";
import { may, session } from "./api";
import { formatMoment } from "./format";
import { connection, heard, status } from "./live";
import { notice } from "./notices";
import { type Group, type Page, pages } from "./pages";
import { href, place } from "./router";
import { t } from "./texts";
import { Badge, Banner } from "./ui";
import { Menu } from "./ui/icons";

export function Frame({ children }: { children: ComponentChildren }) {
	const [open, setOpen] = useState(false);
	const path = place.value.path;

	useEffect(() => {
		setOpen(false);
		notice.value = null;
	}, [path]);
	return (
		<div class="frame">
			<a
				class="skip"
				href="#main"
				onClick={(event) => {
					event.preventDefault();
					document.getElementById("main")?.focus();
				}}
			>
				{t("app.skip")}
			</a>
			<header>
				<span class="menu-button">
					<button
						type="button"
						class="button quiet"
						aria-expanded={open}
						aria-controls="menu"
						onClick={() => setOpen(!open)}
					>
						<Menu />
						{t("app.menu")}
					</button>
				</span>
				<Node />
				<Verdict />
				<AccountMenu />
			</header>
			<nav
				id="menu"
				class={open ? "open" : undefined}
				aria-label={t("app.menu")}
				onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
			>
				<MenuGroup group="status" />
				<MenuGroup group="configuration" />
				<MenuGroup group="maintenance" />
			</nav>
			<main id="main" tabIndex={-1}>
				<Lost />
				<Notice />
				{children}
			</main>
		</div>
	);
}

function Node() {
	const node = session.value?.node;
	if (!node) return null;
	return (
		<a class="node" href="#/">
			<strong>{node.name}</strong>
			<span>{t(`role.${node.role}`)}</span>
		</a>
	);
}

/* Polite: said once it has changed, with what else changed by then. */
function Verdict() {
	const now = status.value;
	const wrong = now?.wrong?.length ?? 0;
	const warnings = now?.warnings?.length ?? 0;
	return (
		<a class="verdict" href="#/alarms" aria-live="polite">
			{connection.value === "lost" ? (
				<Badge state="off">{t("live.lost")}</Badge>
			) : !now ? (
				<Badge state="busy">{t("live.connecting")}</Badge>
			) : wrong > 0 ? (
				<Badge state="bad">
					{wrong === 1
						? t("verdict.wrong-one")
						: t("verdict.wrong", { count: wrong })}
				</Badge>
			) : warnings > 0 ? (
				<Badge state="warning">
					{warnings === 1
						? t("verdict.warnings-one")
						: t("verdict.warnings", { count: warnings })}
				</Badge>
			) : (
				<Badge state="ok">{t("verdict.well")}</Badge>
			)}
		</a>
	);
}

function shown(page: Page): boolean {
	const role = session.value?.node.role;
	return (
		may(page.access) &&
		(!page.roles || (role !== undefined && page.roles.includes(role)))
	);
}

function MenuGroup({ group }: { group: Group }) {
	const here = place.value.path;
	const mine = pages.filter((page) => page.group === group && shown(page));
	if (mine.length === 0) return null;
	return (
		<div class="menu-group">
			<h2 id={`menu-${group}`}>{t(`group.${group}`)}</h2>
			<ul aria-labelledby={`menu-${group}`}>
				{mine.map((page) => (
					<li>
						<a
							href={href(page.path)}
							aria-current={
								isAt(page.path, here)
									? "page"
									: undefined
							}
						>
							{t(page.title)}
						</a>
					</li>
				))}
			</ul>
		</div>
	);
}

function isAt(path: string, here: string): boolean {
	return here === path || (path !== "/" && here.startsWith(path + "/"));
}

function Lost() {
	if (connection.value !== "lost" || heard.value === 0) return null;
	return (
		<Banner
			kind="warning"
			title={t("live.lost")}
			fix={t("live.lost-fix", { time: formatMoment(heard.value) })}
		/>
	);
}

function Notice() {
	const said = notice.value;
	return (
		<>
			<div role="status">{said && said.kind !== "error" && <Said />}</div>
			<div role="alert">{said && said.kind === "error" && <Said />}</div>
		</>
	);
}

function Said() {
	const said = notice.value;
	if (!said) return null;
	return (
		<Banner
			kind={said.kind}
			title={said.text}
			fix={said.more}
			onDismiss={() => {
				notice.value = null;
			}}
		/>
	);
}
