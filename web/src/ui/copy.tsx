/* Something to copy: a command, a code. */
import { useState } from "preact/hooks";
import { sayError } from "../notices";
import { t } from "../texts";
import { Button } from "./basics";

const SHOWN_MS = 2000;

export function Copyable({
	text,
	secret,
	block,
}: {
	text: string;
	secret?: boolean; /* is not said in the button's name */
	block?: boolean; /* has lines */
}) {
	const [copied, setCopied] = useState(false);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
		} catch (refused) {
			sayError(refused);
			return;
		}
		setCopied(true);
		setTimeout(() => setCopied(false), SHOWN_MS);
	};
	return (
		<span class="copyable">
			{block ? <pre tabIndex={0}>{text}</pre> : <code>{text}</code>}
			<Button
				kind="quiet"
				label={secret || block ? undefined : `${t("do.copy")}: ${text}`}
				onClick={() => void copy()}
			>
				{copied ? t("do.copied") : t("do.copy")}
			</Button>
		</span>
	);
}
