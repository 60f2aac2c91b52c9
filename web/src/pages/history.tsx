/* Who changed what and when; what differs from now; and back to a revision after a dry run. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { askCommand, command, may } from "../api";
import { readPreview } from "../config/dry_run";
import { type Revision, findRevisions, readHistory } from "../config/history_text";
import { Differences, PreviewOf } from "../config/review";
import { asError } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import {
	Banner,
	Button,
	Dialog,
	EmptyState,
	Failure,
	Loading,
	Section,
	Table,
	TextField,
	Time,
} from "../ui";

type Asking = { what: "diff" | "restore"; revision: number } | null;

export function HistoryPage() {
	const [revisions, setRevisions] = useState<Revision[] | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [find, setFind] = useState("");
	const [asking, setAsking] = useState<Asking>(null);

	const load = useCallback(() => {
		setError(null);
		command("config", "history").then(
			(reply) => setRevisions(readHistory(reply.text)),
			(failed) => setError(asError(failed)),
		);
	}, []);
	useEffect(load, [load]);
	return (
		<>
			<p class="lead">{t("history.lead")}</p>
			<Failure error={error} retry={load} />
			{!revisions && !error && <Loading />}
			{revisions && (
				<Section title={t("page.history")}>
					<TextField
						label={t("history.find")}
						type="search"
						value={find}
						onInput={setFind}
					/>
					<Revisions
						revisions={findRevisions(revisions, find)}
						ask={setAsking}
					/>
				</Section>
			)}
			{asking?.what === "diff" && (
				<DiffDialog
					revision={asking.revision}
					onClose={() => setAsking(null)}
				/>
			)}
			{asking?.what === "restore" && (
				<RestoreDialog
					revision={asking.revision}
					onClose={() => {
						setAsking(null);
						load();
					}}
				/>
			)}
		</>
	);
}

function Revisions({ revisions, ask }: { revisions: Revision[]; ask: (asking: Asking) => void }) {
	return (
		<Table
			caption={t("page.history")}
			rows={revisions}
			id={(row) => String(row.number)}
			empty={<EmptyState title={t("history.empty")} />}
			columns={[
				{
					key: "revision",
					label: t("history.revision"),
					numeric: true,
					show: (row) => row.number,
					sort: (row) => row.number,
				},
				{
					key: "time",
					label: t("history.time"),
					show: (row) => <Time ms={Date.parse(row.time)} exact />,
					sort: (row) => row.time,
				},
				{
					key: "author",
					label: t("history.author"),
					show: (row) => row.author,
					sort: (row) => row.author,
				},
				{
					key: "changes",
					label: t("history.changes"),
					show: (row) => (
						<ul class="value">
							{row.changes.map((change) => (
								<li>
									<code>{change.name}</code>{" "}
									{change.text}
								</li>
							))}
						</ul>
					),
				},
				{
					key: "do",
					label: t("homes.do"),
					show: (row) => (
						<RevisionActions revision={row.number} ask={ask} />
					),
				},
			]}
		/>
	);
}

function RevisionActions({ revision, ask }: { revision: number; ask: (asking: Asking) => void }) {
	return (
		<div class="actions">
			<Button
				label={`${t("history.show-diff")}: ${revision}`}
				onClick={() => ask({ what: "diff", revision })}
			>
				{t("history.show-diff")}
			</Button>
			{may("admin") && (
				<Button
					label={`${t("history.restore")} ${revision}`}
					onClick={() => ask({ what: "restore", revision })}
				>
					{t("history.restore")}
				</Button>
			)}
		</div>
	);
}

/* What a command prints, once. */
function useText(...words: string[]): { text: string | null; error: Error | null } {
	const [text, setText] = useState<string | null>(null);
	const [error, setError] = useState<Error | null>(null);
	useEffect(() => {
		askCommand(...words).then(
			(reply) =>
				reply.status === 0
					? setText(reply.text)
					: setError(new Error(reply.text)),
			(failed) => setError(asError(failed)),
		);
	}, []);
	return { text, error };
}

function DiffDialog({ revision, onClose }: { revision: number; onClose: () => void }) {
	const { text, error } = useText("config", "diff", String(revision), "now");
	const preview = text === null ? null : readPreview(text);
	return (
		<Dialog title={t("history.diff", { revision })} onClose={onClose} wide>
			<Failure error={error} />
			{!preview && !error && <Loading />}
			{preview &&
				(preview.differences.length > 0 ? (
					<Differences preview={preview} />
				) : (
					<Banner kind="info" title={t("history.same")} />
				))}
		</Dialog>
	);
}

function RestoreDialog({ revision, onClose }: { revision: number; onClose: () => void }) {
	const { text, error } = useText("config", "restore", "--dry-run", String(revision));
	const [failed, setFailed] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);
	const preview = text === null ? null : readPreview(text);

	const restore = async () => {
		setBusy(true);
		try {
			await command("config", "restore", String(revision));
			say("ok", t("history.restored", { revision }));
			onClose();
		} catch (thrown) {
			setFailed(asError(thrown));
			setBusy(false);
		}
	};
	return (
		<Dialog
			title={t("history.restore-title", { revision })}
			onClose={onClose}
			wide
			actions={
				<>
					<Button onClick={onClose}>{t("do.cancel")}</Button>
					<Button
						kind="primary"
						busy={busy}
						disabled={!preview || preview.nothing}
						onClick={() => void restore()}
					>
						{t("history.restore-do")}
					</Button>
				</>
			}
		>
			<Failure error={error ?? failed} />
			{!preview && !error && <Loading />}
			{preview?.nothing && <Banner kind="info" title={t("review.nothing")} />}
			{preview && !preview.nothing && <PreviewOf preview={preview} />}
		</Dialog>
	);
}
