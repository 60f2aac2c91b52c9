/* How two nodes come together: one makes a code, the core takes it. */
import { useState } from "preact/hooks";
import { command } from "../api";
import { asError } from "../load";
import { say } from "../notices";
import { t } from "../texts";
import { Button, Code, Copyable, Failure, Section, TextField } from "../ui";

export function JoinSection({ onJoined }: { onJoined: () => void }) {
	const [code, setCode] = useState("");
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);
	const word = code.trim();
	const wrong = word !== "" && !/^[^@\s]+@\S+$/.test(word);

	const join = async () => {
		setBusy(true);
		setError(null);
		try {
			const reply = await command("join", word);
			say("ok", t("nodes.joined"), reply.text);
			setCode("");
			onJoined();
		} catch (failed) {
			setError(asError(failed));
		}
		setBusy(false);
	};
	return (
		<Section title={t("nodes.join")}>
			<p class="lead">
				<Code text={t("nodes.join-lead")} />
			</p>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void join();
				}}
			>
				<Failure error={error} />
				<TextField
					label={t("nodes.code")}
					error={wrong ? t("nodes.code-wrong") : null}
					placeholder="edge-a@203.0.113.2:2222/…"
					required
					value={code}
					onInput={setCode}
				/>
				<div class="actions">
					<Button
						type="submit"
						kind="primary"
						busy={busy}
						disabled={word === "" || wrong}
					>
						{t("nodes.join-do")}
					</Button>
				</div>
			</form>
		</Section>
	);
}

export function PairSection() {
	const [address, setAddress] = useState("");
	const [link, setLink] = useState("");
	const [told, setTold] = useState("");
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);

	const pair = async () => {
		const options = [
			...(address.trim() ? [`address=${address.trim()}`] : []),
			...(link.trim() ? [`link=${link.trim()}`] : []),
		];
		setBusy(true);
		setError(null);
		try {
			setTold((await command("pair", ...options)).text);
		} catch (failed) {
			setError(asError(failed));
		}
		setBusy(false);
	};
	return (
		<Section title={t("nodes.pair")}>
			<p class="lead">
				<Code text={t("nodes.pair-lead")} />
			</p>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void pair();
				}}
			>
				<Failure error={error} />
				<TextField
					label={t("nodes.pair-address")}
					help={t("nodes.pair-help")}
					value={address}
					onInput={setAddress}
				/>
				<TextField
					label={t("nodes.pair-link")}
					help={t("nodes.pair-help")}
					value={link}
					onInput={setLink}
				/>
				<div class="actions">
					<Button type="submit" kind="primary" busy={busy}>
						{t("nodes.pair-do")}
					</Button>
				</div>
			</form>
			<div role="status">{told && <Told text={told} />}</div>
		</Section>
	);
}

/* The first line is the code; the others say what to do with it. */
function Told({ text }: { text: string }) {
	const [code, ...rest] = text.trim().split("\n");
	return (
		<div class="told">
			<Copyable text={code ?? ""} />
			<p>{rest.join(" ")}</p>
		</div>
	);
}
