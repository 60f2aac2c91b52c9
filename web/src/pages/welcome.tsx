/* What a one-time link opens: the account's own password is set. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, welcome } from "../api";
import { asError } from "../load";
import { navigate } from "../router";
import { t } from "../texts";
import { Button, Code, Failure } from "../ui";
import { FreshPassword, PASSWORD_LENGTH } from "../ui/password";
import { Outside } from "./outside";

export function WelcomePage({ token }: { token: string }) {
	const [fresh, setFresh] = useState<string | null>(null);
	const [error, setError] = useState<ApiError | null>(null);
	const [busy, setBusy] = useState(false);

	useEffect(() => {
		document.title = `${t("welcome.title")} – Sallyport`;
	});
	const set = async () => {
		if (fresh === null) return;
		setBusy(true);
		setError(null);
		try {
			await welcome(token, fresh);
			navigate("/");
		} catch (failed) {
			setError(asError(failed));
		}
		setBusy(false);
	};
	return (
		<Outside title={t("welcome.title")}>
			<p>{t("welcome.lead")}</p>
			<Failure error={error} />
			{error?.status === 403 && (
				<p>
					<Code text={t("welcome.void")} />
				</p>
			)}
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void set();
				}}
			>
				<FreshPassword onChange={setFresh} minimum={PASSWORD_LENGTH} />
				<div class="actions">
					<Button
						type="submit"
						kind="primary"
						busy={busy}
						disabled={fresh === null}
					>
						{t("welcome.do")}
					</Button>
				</div>
			</form>
		</Outside>
	);
}
