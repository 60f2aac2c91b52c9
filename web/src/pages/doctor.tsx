/* Looks for everything that can be wrong, on all nodes that this one reaches. */
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import type { Doctor, Finding } from "../live/data";
import { isGrave, severityRank } from "../live/data";
import { age, duration } from "../live/figures";
import { asError } from "../load";
import { language } from "../preferences";
import { t } from "../texts";
import {
	Badge,
	Banner,
	Button,
	Copyable,
	Facts,
	Failure,
	Table,
	type Column,
	type State,
} from "../ui";

/* How long it looks already, each second; null: it does not. */
function useElapsed(runs: boolean): number {
	const [seconds, setSeconds] = useState(0);

	useEffect(() => {
		setSeconds(0);
		if (!runs) return undefined;
		const timer = setInterval(() => setSeconds((now) => now + 1), 1000);
		return () => clearInterval(timer);
	}, [runs]);
	return seconds;
}

export function DoctorPage() {
	const [report, setReport] = useState<Doctor | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [runs, setRuns] = useState(false);
	const seconds = useElapsed(runs);
	const run = async () => {
		setRuns(true);
		setError(null);
		try {
			setReport(await get<Doctor>("doctor"));
		} catch (failed) {
			setError(asError(failed));
		}
		setRuns(false);
	};
	return (
		<>
			<p>{t("doctor.what")}</p>
			<div class="actions">
				<Button kind="primary" busy={runs} onClick={() => void run()}>
					{report ? t("doctor.again") : t("doctor.run")}
				</Button>
				<span role="status" class="muted">
					{runs
						? t("doctor.runs", { time: age(seconds) })
						: report
							? t("doctor.took", {
									time: duration(
										report.looked_ms,
										language.value,
									),
								})
							: ""}
				</span>
			</div>
			{runs && (
				<progress
					aria-label={t("doctor.progress")}
					max={30}
					value={Math.min(29, seconds)}
				/>
			)}
			{error && <Failure error={error} retry={() => void run()} />}
			{report && <Report report={report} />}
		</>
	);
}

function Report({ report }: { report: Doctor }) {
	const findings = [...report.findings].sort(
		(a, b) => severityRank(b.severity) - severityRank(a.severity),
	);
	const unreached = report.nodes.filter((node) => !node.reached);

	return (
		<>
			{findings.length === 0 ? (
				<Banner
					kind="ok"
					title={t("doctor.well")}
					fix={t("doctor.well-more")}
				/>
			) : (
				<Banner
					kind="error"
					title={
						findings.length === 1
							? t("doctor.one")
							: t("doctor.count", {
									count: findings.length,
								})
					}
				/>
			)}
			{unreached.map((node) => (
				<Banner
					key={node.name}
					kind="warning"
					title={t("doctor.not-reached", { node: node.name })}
					fix={node.why ?? undefined}
				/>
			))}
			{findings.map((finding, i) => (
				<FindingCard
					key={`${finding.symptom} ${finding.node} ${i}`}
					finding={finding}
				/>
			))}
			<Checks report={report} />
		</>
	);
}

function FindingCard({ finding }: { finding: Finding }) {
	const state: State = isGrave(finding.severity) ? "bad" : "warning";
	return (
		<article class={`alarm ${state}`}>
			<div class="alarm-head">
				<Badge state={state}>{finding.node}</Badge>
				<h2>
					{finding.title}
					{finding.subject && (
						<span class="subject">{finding.subject}</span>
					)}
				</h2>
				<span class="muted">
					{t("doctor.symptom", { number: finding.symptom })}
				</span>
			</div>
			<Facts
				facts={[
					{ name: t("alarms.seen"), value: finding.seen },
					{ name: t("word.cause"), value: finding.cause },
					{ name: t("word.fix"), value: finding.fix },
					{ name: t("doctor.follows"), value: consequences(finding) },
				].filter((fact) => fact.value)}
			/>
			{finding.command && (
				<p>
					{t("doctor.on-node", { node: finding.node })}{" "}
					<Copyable text={finding.command} />
				</p>
			)}
		</article>
	);
}

function consequences(finding: Finding): string {
	return (finding.consequences ?? [])
		.map(({ title, node, subject }) =>
			t("doctor.consequence", {
				title: subject ? `${title}, ${subject}` : title,
				node,
			}),
		)
		.join("; ");
}

const RESULTS: Record<string, State> = { ok: "ok", found: "bad", skipped: "off" };
const RESULT_WORDS = ["ok", "found", "skipped"] as const;

function resultWord(result: string): string {
	const known = RESULT_WORDS.find((each) => each === result);
	return known ? t(`result.${known}`) : result;
}

type Check = Doctor["checks"][number];

function Checks({ report }: { report: Doctor }) {
	const columns: Column<Check>[] = [
		{
			key: "result",
			label: t("doctor.result"),
			show: (check) => (
				<Badge state={RESULTS[check.result] ?? "off"}>
					{resultWord(check.result)}
				</Badge>
			),
			sort: (check) => check.result,
		},
		{
			key: "symptom",
			label: t("doctor.number"),
			numeric: true,
			show: (check) => check.symptom,
			sort: (check) => check.symptom,
		},
		{ key: "name", label: t("doctor.check"), show: (c) => c.name, sort: (c) => c.name },
		{ key: "node", label: t("doctor.node"), show: (c) => c.node, sort: (c) => c.node },
		{ key: "why", label: t("doctor.why"), show: (c) => c.why || "–" },
	];
	return (
		<details class="section">
			<summary>{t("doctor.checks", { count: report.checks.length })}</summary>
			<Table
				caption={t("doctor.checks", { count: report.checks.length })}
				columns={columns}
				rows={report.checks}
				id={(check) => `${check.symptom} ${check.name} ${check.node}`}
			/>
		</details>
	);
}
