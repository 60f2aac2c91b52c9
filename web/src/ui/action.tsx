/* A button that asks the node to do something and says how it went. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { say, sayError } from "../notices";
import { Button, type ButtonProps } from "./basics";

export function ActionButton({
	run,
	done,
	children,
	...rest
}: Omit<ButtonProps, "busy" | "onClick" | "children"> & {
	run: () => Promise<string | void>; /* what the node said, where that is worth reading */
	done: string;
	children: ComponentChildren;
}) {
	const [busy, setBusy] = useState(false);
	const go = async () => {
		setBusy(true);
		try {
			say("ok", done, (await run()) || undefined);
		} catch (failed) {
			sayError(failed);
		}
		setBusy(false);
	};
	return (
		<Button {...rest} busy={busy} onClick={() => void go()}>
			{children}
		</Button>
	);
}
