/*
 * What happened with a domain. Cause and fix come first, for whoever reads it at night on a phone;
 * then the ladder of the attempt that it speaks of; all others are folded below.
 */
import { useState } from "preact/hooks";
import { ApiError, askCommand, command, may, session } from "../api";
import { AttemptLinks, AttemptSummary, Ladder } from "../live/ladder";
import type { Attempt, Why } from "../live/data";
import { age, bytes, whole } from "../live/figures";
import { attemptToShow, perNode } from "../live/attempts";
import { useLoad } from "../load";
import { say, sayError } from "../notices";
import type { PageProps } from "../pages";
import { language } from "../preferences";
import { href, navigate } from "../router";
import { t } from "../texts";
import {
	Badge,
	Banner,
	Button,
	Copyable,
	EmptyState,
	Facts,
	Failure,
	LinkButton,
	Loading,
	Section,
	TextField,
	type State,
} from "../ui";

const CAPTURE_S = 300;

const VERDICTS: Record<Why["verdict"], State> = {
	up: "ok",
	failed: "bad",
	refused: "bad",
	waiting: "busy",
	idle: "off",
	never: "off",
};

export function WhyPage({ parameters }: PageProps) {
	const domain = parameters.domain ?? "";
	const loaded = useLoad<Why>(domain ? `why/${encodeURIComponent(domain)}` : null);
	const [probed, setProbed] = useState<Why | null>(null);

	return (
		<>
			<DomainForm key={domain} domain={domain} />
			{loaded.error && <Failure error={loaded.error} retry={loaded.reload} />}
			{loaded.busy && !loaded.data && <Loading />}
			{loaded.data && (
				<>
					{perNode(loaded.data).map((why) => (
						<Headline key={why.node} why={why} />
					))}
					<Again
						domain={domain}
						busy={loaded.busy}
						onProbed={(answer) => {
							setProbed(answer);
							loaded.reload();
						}}
						reload={loaded.reload}
					/>
					{probed && <Probed why={probed} />}
					{perNode(loaded.data).map((why) => (
						<Course key={why.node} why={why} />
					))}
				</>
			)}
		</>
	);
}

function DomainForm({ domain }: { domain: string }) {
	const [typed, setTyped] = useState(domain);
	const ask = (event: Event) => {
		event.preventDefault();
		const wanted = typed.trim().toLowerCase();
		if (wanted) navigate(href("/why/:domain", { domain: wanted }));
	};
	return (
		<form class="why-form" role="search" onSubmit={ask}>
			<TextField
				label={t("why.domain")}
				type="search"
				value={typed}
				onInput={setTyped}
				help={domain ? undefined : t("why.domain-help")}
			/>
			<Button type="submit" kind={domain ? "plain" : "primary"}>
				{t("why.ask")}
			</Button>
		</form>
	);
}

/* What one can do now: try it, record the next attempt, read on. */
function Again({
	domain,
	busy,
	onProbed,
	reload,
}: {
	domain: string;
	busy: boolean;
	onProbed: (why: Why) => void;
	reload: () => void;
}) {
	const [tries, setTries] = useState(false);
	const [asksCapture, setAsksCapture] = useState(false);
	/* a home node meets nobody of the world */
	const mayTry = may("operate") && session.value?.node.role !== "home";
	const again = async () => {
		setTries(true);
		try {
			/* refused where nothing waits, and a probe that fails is one too: both tell */
			if (session.value?.node.role === "edge") await askCommand("retry", domain);
			const reply = await askCommand<Why>("probe", domain);
			if (!reply.data) throw new ApiError(reply.status, reply.text);
			onProbed(reply.data);
		} catch (error) {
			sayError(error);
			reload();
		}
		setTries(false);
	};
	return (
		<>
			<div class="actions why-actions">
				{mayTry && (
					<Button
						kind="primary"
						busy={tries}
						onClick={() => void again()}
					>
						{t("why.again")}
					</Button>
				)}
				{mayTry && (
					<Button onClick={() => setAsksCapture(!asksCapture)}>
						{t("why.capture")}
					</Button>
				)}
				{may("operate") && (
					<LinkButton href={href("/log", {}, { domain })}>
						{t("why.log")}
					</LinkButton>
				)}
				<Button busy={busy} onClick={reload}>
					{t("do.refresh")}
				</Button>
			</div>
			<div role="status">{tries && <p class="muted">{t("why.trying")}</p>}</div>
			{asksCapture && (
				<Capture domain={domain} done={() => setAsksCapture(false)} />
			)}
		</>
	);
}

function Capture({ domain, done }: { domain: string; done: () => void }) {
	const [secrets, setSecrets] = useState(false);
	const [busy, setBusy] = useState(false);
	const start = async () => {
		setBusy(true);
		try {
			const words = ["capture", `domain=${domain}`, `for=${CAPTURE_S}`];
			await command("diag", "start", ...words, ...(secrets ? ["secrets"] : []));
			say(
				"ok",
				t("why.capture-runs", { domain, minutes: CAPTURE_S / 60 }),
				t("why.capture-next"),
			);
			done();
		} catch (error) {
			sayError(error);
		}
		setBusy(false);
	};
	return (
		<Section title={t("why.capture")}>
			<p>{t("why.capture-what", { minutes: CAPTURE_S / 60 })}</p>
			{may("admin") ? (
				<label class="tick">
					<input
						type="checkbox"
						checked={secrets}
						onChange={(event) =>
							setSecrets(event.currentTarget.checked)
						}
					/>
					<span>{t("why.capture-secrets")}</span>
				</label>
			) : (
				<p class="help">{t("why.capture-no-secrets")}</p>
			)}
			<div class="actions">
				<Button kind="primary" busy={busy} onClick={() => void start()}>
					{t("why.capture-start")}
				</Button>
				<LinkButton href={href("/diagnostics")}>
					{t("page.diagnostics")}
				</LinkButton>
			</div>
		</Section>
	);
}

function Probed({ why }: { why: Why }) {
	return (
		<Section title={t("why.probed")}>
			{perNode(why).map((each) => {
				const attempt = each.attempts?.[0];
				return (
					<div key={each.node} class="why-node">
						<Badge state={VERDICTS[each.verdict]}>
							{each.headline}
						</Badge>
						{attempt && <Ladder attempt={attempt} />}
					</div>
				);
			})}
		</Section>
	);
}

/* How it went, as one node saw it. */
function Course({ why }: { why: Why }) {
	const shown = attemptToShow(why);
	const others = (why.attempts ?? []).filter((attempt) => attempt !== shown);

	return (
		<>
			{shown ? (
				<Section title={t("why.ladder", { node: why.node })}>
					<AttemptSummary attempt={shown} />
					<Ladder attempt={shown} />
					<AttemptLinks attempt={shown} />
				</Section>
			) : why.ask ? (
				<Ask nodes={why.ask} />
			) : (
				<EmptyState title={t("why.no-attempts")}>
					<p>{t("why.no-attempts-more")}</p>
				</EmptyState>
			)}
			<Situation why={why} />
			{others.length > 0 && <Others attempts={others} />}
		</>
	);
}

function Headline({ why }: { why: Why }) {
	const state = VERDICTS[why.verdict];
	return (
		<section class={`section headline ${state}`} aria-label={t("why.verdict")}>
			<p class="headline-state">
				<Badge state={state}>{t(`why.${why.verdict}`)}</Badge>
				<span class="muted">{t("why.seen-by", { node: why.node })}</span>
				{why.failure && <code>{why.failure}</code>}
			</p>
			<h2>{why.headline}</h2>
			{why.cause && (
				<p>
					<strong>{t("word.cause")}: </strong>
					{why.cause}
				</p>
			)}
			{why.fix && (
				<p>
					<strong>{t("word.fix")}: </strong>
					{why.fix}
				</p>
			)}
			{why.command && <Copyable text={why.command} />}
			{why.seen && (
				<p>
					<strong>{t("alarms.seen")}: </strong>
					<span class="seen">{why.seen}</span>
				</p>
			)}
			{typeof why.retry_ms === "number" && (
				<p class="muted">
					{t("why.next", {
						time: age(
							Math.max(1, Math.ceil(why.retry_ms / 1000)),
						),
					})}
				</p>
			)}
		</section>
	);
}

/* This node does not talk to the world: who does, or is nearer to it. */
function Ask({ nodes }: { nodes: NonNullable<Why["ask"]> }) {
	return (
		<Section title={t("why.ask-others")}>
			<Facts
				facts={nodes.map(({ node, role, link }) => ({
					name: node,
					value: (
						<Badge state={link === "linked" ? "ok" : "bad"}>
							{link === "linked"
								? t("why.linked")
								: t("why.not-linked")}{" "}
							({role})
						</Badge>
					),
				}))}
			/>
		</Section>
	);
}

/* The rules for each of our domains, and what waits. */
function Situation({ why }: { why: Why }) {
	const policy = (why.policy ?? []).map((each) => ({
		name: each.local,
		value: (
			<>
				<Badge state={each.verdict === "allowed" ? "ok" : "bad"}>
					{each.verdict === "allowed"
						? t("why.allowed")
						: t("why.not-allowed")}
				</Badge>{" "}
				{each.why && <code>{each.why}</code>}{" "}
				<span class="muted">
					{each.route === "static"
						? t("why.by-static")
						: t("why.by-dns")}
				</span>
			</>
		),
	}));
	const queue = (why.queue ?? [])
		.filter((each) => each.stanzas > 0)
		.map((each) => ({
			name: each.local,
			value: t("why.queued", {
				count: whole(each.stanzas, language.value),
				size: bytes(each.bytes, language.value),
				age: age(each.oldest_seconds),
			}),
		}));

	if (policy.length + queue.length === 0) return null;
	return (
		<div class="columns">
			{policy.length > 0 && (
				<Section title={t("why.policy")}>
					<Facts facts={policy} />
				</Section>
			)}
			{queue.length > 0 && (
				<Section title={t("why.queue")}>
					<Facts facts={queue} />
				</Section>
			)}
		</div>
	);
}

function Others({ attempts }: { attempts: Attempt[] }) {
	return (
		<Section title={t("why.others", { count: attempts.length })}>
			{attempts.map((attempt) => (
				<details
					key={`${attempt.xcoder} ${attempt.direction} ${attempt.began}`}
				>
					<summary>
						<AttemptSummary attempt={attempt} />
					</summary>
					{attempt.why && (
						<Banner
							kind={
								attempt.state === "failed"
									? "error"
									: "info"
							}
							title={attempt.why}
						/>
					)}
					<Ladder attempt={attempt} />
					<AttemptLinks attempt={attempt} />
				</details>
			))}
		</Section>
	);
}
