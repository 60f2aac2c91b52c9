/* A secret to be typed anew or made here; what is set is never shown. */
import { useState } from "preact/hooks";
import { t } from "../texts";
import { Banner, Button, Copyable, TextField } from "../ui";

const MADE_BYTES = 30; /* 40 characters */

function make(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(MADE_BYTES));
	return btoa(String.fromCharCode(...bytes))
		.replaceAll("+", "-")
		.replaceAll("/", "_");
}

export function SecretField({
	label,
	help,
	minimum,
	value,
	onInput,
	disabled,
}: {
	label: string;
	help: string;
	minimum: number;
	value: string;
	onInput: (value: string) => void;
	disabled: boolean;
}) {
	const [made, setMade] = useState("");
	const short = value !== "" && value.length < minimum;
	const fresh = () => {
		const secret = make();
		setMade(secret);
		onInput(secret);
	};
	return (
		<div class="field">
			<TextField
				label={label}
				help={help}
				error={short ? t("unified.secret-short") : null}
				type="password"
				autocomplete="new-password"
				placeholder={t("unified.secret-new")}
				value={value}
				onInput={onInput}
				disabled={disabled}
			/>
			{!disabled && (
				<div class="actions">
					<Button onClick={fresh}>{t("unified.secret-make")}</Button>
				</div>
			)}
			{made !== "" && made === value && (
				<Banner kind="info" title={t("unified.secret-made")}>
					<Copyable text={made} secret />
				</Banner>
			)}
		</div>
	);
}
