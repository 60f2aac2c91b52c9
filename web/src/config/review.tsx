/*
 * Before something is saved: what changes, what that restarts and whom it cuts off, as the node
 * says it. Then it is saved, one change after the other; what failed is said with what was done.
 */
import { useEffect, useState } from "preact/hooks";
import { askCommand, command } from "../api";
import { asError } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import { Badge, Banner, Button, Dialog, Failure, Loading } from "../ui";
import { type Preview, mergePreviews, readPreview } from "./dry_run";

export interface Change {
	name: string; /* of the setting */
	words: string[]; /* its entries; none: its default */
}

interface Look {
	change: Change;
	preview: Preview | null;
	refused: string;
}

async function look(change: Change): Promise<Look> {
	const reply = await askCommand("config", "set", "--dry-run", change.name, ...change.words);
	if (reply.status !== 0) return { change, preview: null, refused: reply.text };
	return { change, preview: readPreview(reply.text), refused: "" };
}

export function ReviewDialog({
	changes,
	onClose,
	onSaved,
}: {
	changes: Change[];
	onClose: () => void;
	onSaved: () => void;
}) {
	const [looks, setLooks] = useState<Look[] | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);

	useEffect(() => {
		Promise.all(changes.map(look)).then(setLooks, (failed) =>
			setError(asError(failed)),
		);
	}, []);
	const save = async () => {
		const saved: string[] = [];
		setBusy(true);
		try {
			for (const change of changes) {
				await command("config", "set", change.name, ...change.words);
				saved.push(change.name);
			}
			say(
				"ok",
				t("review.saved"),
				t("review.saved-names", { names: saved.join(", ") }),
			);
		} catch (failed) {
			const done = saved.length
				? t("review.partly", { names: saved.join(", ") })
				: undefined;
			say("error", asError(failed).message, done);
		}
		setBusy(false);
		onClose();
		onSaved();
	};
	const refused = looks?.filter((one) => !one.preview) ?? [];
	const preview = looks && mergePreviews(looks.flatMap((one) => one.preview ?? []));
	return (
		<Dialog
			wide
			title={t("review.title")}
			onClose={onClose}
			actions={
				<>
					<Button onClick={onClose}>{t("do.cancel")}</Button>
					<Button
						kind="primary"
						busy={busy}
						disabled={
							!preview ||
							refused.length > 0 ||
							preview.nothing
						}
						onClick={() => void save()}
					>
						{t("do.save")}
					</Button>
				</>
			}
		>
			<Failure error={error} />
			{!looks && !error && <Loading />}
			{refused.map((one) => (
				<div role="alert">
					<Banner
						kind="error"
						title={t("review.refused", {
							name: one.change.name,
						})}
						fix={one.refused}
					/>
				</div>
			))}
			{preview && refused.length === 0 && preview.nothing && (
				<Banner kind="info" title={t("review.nothing")} />
			)}
			{preview && !preview.nothing && <PreviewOf preview={preview} />}
		</Dialog>
	);
}

export function PreviewOf({ preview }: { preview: Preview }) {
	return (
		<div class="preview">
			<Differences preview={preview} />
			<ul class="effects" lang="en">
				{preview.effects.map((line) => (
					<li>{line}</li>
				))}
			</ul>
			<CutOff preview={preview} />
		</div>
	);
}

export function Differences({ preview }: { preview: Preview }) {
	const words = { "-": t("review.was"), "+": t("review.becomes"), "~": t("review.order") };
	return (
		<ul class="differences">
			{preview.differences.map(({ sign, text }) => (
				<li class={sign === "-" ? "was" : "becomes"}>
					<span class="sign" aria-hidden="true">
						{sign}
					</span>
					<span class="visually-hidden">{words[sign]}</span>
					{text}
				</li>
			))}
		</ul>
	);
}

function CutOff({ preview }: { preview: Preview }) {
	const names = t("review.cut-off-names");
	return (
		<div>
			{preview.closing === 0 ? (
				<Badge state="ok">{t("review.nobody")}</Badge>
			) : (
				<Badge state="warning">
					{t("review.cut-off", { count: preview.closing })}
				</Badge>
			)}
			{preview.closes.length > 0 && (
				<ul class="cut-off" tabIndex={0} aria-label={names}>
					{preview.closes.map((line) => (
						<li>{line}</li>
					))}
				</ul>
			)}
		</div>
	);
}
