/* A new password, typed twice. Tells it when it is good, and null as long as it is not. */
import { useState } from "preact/hooks";
import { t } from "../texts";
import { TextField } from "./fields";

export const PASSWORD_LENGTH = 10;

export function FreshPassword({
	onChange,
	minimum,
}: {
	onChange: (password: string | null) => void;
	minimum: number;
}) {
	const [first, setFirst] = useState("");
	const [second, setSecond] = useState("");
	const length = [...first].length;
	const short = length > 0 && length < minimum;
	const differ = second !== "" && first !== second;

	const type = (one: string, two: string) => {
		setFirst(one);
		setSecond(two);
		onChange(one === two && [...one].length >= minimum ? one : null);
	};
	return (
		<>
			<TextField
				label={t("account.new")}
				type="password"
				autocomplete="new-password"
				required
				help={
					short
						? t("password.short", { count: length })
						: t("password.rule")
				}
				value={first}
				onInput={(value) => type(value, second)}
			/>
			<TextField
				label={t("welcome.again")}
				type="password"
				autocomplete="new-password"
				required
				error={differ ? t("password.differ") : null}
				value={second}
				onInput={(value) => type(first, value)}
			/>
		</>
	);
}
