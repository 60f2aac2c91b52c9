/* A dialog of the browser's own kind: it keeps the focus, gives it back, and Escape closes it. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../texts";
import { Button, newId } from "./basics";
import { Cross } from "./icons";

export interface DialogProps {
	title: string;
	onClose: () => void;
	actions?: ComponentChildren;
	wide?: boolean;
	children: ComponentChildren;
}

export function Dialog({ title, onClose, actions, wide, children }: DialogProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const id = useMemo(() => newId("dialog"), []);

	useEffect(() => {
		const before = document.activeElement;
		const element = dialog.current;
		element?.showModal();
		return () => {
			element?.close();
			if (before instanceof HTMLElement && before.isConnected) before.focus();
		};
	}, []);

	return (
		<dialog
			ref={dialog}
			class={wide ? "wide" : undefined}
			aria-labelledby={id}
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
		>
			<div class="dialog-head">
				<h2 id={id}>{title}</h2>
				<Button kind="quiet" label={t("do.close")} onClick={onClose}>
					<Cross />
				</Button>
			</div>
			<div class="dialog-body">{children}</div>
			{actions && <div class="dialog-foot actions">{actions}</div>}
		</dialog>
	);
}
