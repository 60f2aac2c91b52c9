import { useEffect, useState } from "preact/hooks";
import { logIn, sessionEnded } from "../api";
import { asError } from "../load";
import { t } from "../texts";
import { Banner, Button, Code, Failure, TextField } from "../ui";
import { Outside } from "./outside";

export function LoginPage() {
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);

	useEffect(() => {
		document.title = `${t("login.title")} – Sallyport`;
	});
	const enter = async () => {
		setBusy(true);
		setError(null);
		try {
			await logIn(name, password);
		} catch (failed) {
			setError(asError(failed));
			setPassword("");
		}
		setBusy(false);
	};
	return (
		<Outside title={t("login.title")}>
			{sessionEnded.value && !error && (
				<Banner kind="info" title={t("login.ended")} />
			)}
			<Failure error={error} />
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void enter();
				}}
			>
				<TextField
					label={t("login.name")}
					name="username"
					autocomplete="username"
					required
					value={name}
					onInput={setName}
				/>
				<TextField
					label={t("login.password")}
					type="password"
					name="password"
					autocomplete="current-password"
					required
					value={password}
					onInput={setPassword}
				/>
				<div class="actions">
					<Button type="submit" kind="primary" busy={busy}>
						{t("login.do")}
					</Button>
				</div>
			</form>
			<p class="help">
				<Code text={t("login.first")} />
			</p>
		</Outside>
	);
}
