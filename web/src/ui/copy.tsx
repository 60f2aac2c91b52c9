/* Something to copy: a command, a code. */
import { useState } from "preact/hooks";
import { t } from "../texts";
import { Button } from "./basics";

const SHOWN_MS = 2000;

export function Copyable({ text, secret }: { text: string; secret?: boolean }) {
	const [copied, setCopied] = useState(false);
	const copy = async () => {
		await navigator.clipboard.writeText(text);
		setCopied(true);
		setTimeout(() => setCopied(false), SHOWN_MS);
	};
	return (
		<span class="copyable">
			<code class={secret ? "code secret" : "code"}>{text}</code>
			<Button kind="quiet" label={`${t("do.copy")}: ${secret ? "" : text}`} onClick={() => void copy()}>
				{copied ? t("do.copied") : t("do.copy")}
			</Button>
		</span>
	);
}
