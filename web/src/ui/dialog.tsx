/* A dialog of the browser's own kind: it keeps the focus, gives it back, and Escape closes it. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asError } from "../load";
import { t } from "../texts";
import { Button, Failure, newId } from "./basics";
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

/* Asks before something is done that cannot be taken back, and stays open if it fails. */
export function ConfirmDialog({
	title,
	label,
	onClose,
	run,
	children,
}: {
	title: string;
	label: string;
	onClose: () => void;
	run: () => Promise<void>;
	children?: ComponentChildren;
}) {
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);
	const go = async () => {
		setBusy(true);
		setError(null);
		try {
			await run();
			onClose();
		} catch (failed) {
			setError(asError(failed));
			setBusy(false);
		}
	};
	return (
		<Dialog
			title={title}
			onClose={onClose}
			actions={
				<>
					<Button onClick={onClose}>{t("do.cancel")}</Button>
					<Button kind="danger" busy={busy} onClick={() => void go()}>
						{label}
					</Button>
				</>
			}
		>
			<Failure error={error} />
			{children}
		</Dialog>
	);
}

/* A form in a dialog. `ready`: what is typed may be sent. */
export function FormDialog({
	title,
	label,
	ready,
	onClose,
	run,
	children,
}: {
	title: string;
	label: string;
	ready: boolean;
	onClose: () => void;
	run: () => Promise<void>;
	children: ComponentChildren;
}) {
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);
	const go = async () => {
		if (!ready || busy) return;
		setBusy(true);
		setError(null);
		try {
			await run();
			onClose();
		} catch (failed) {
			setError(asError(failed));
			setBusy(false);
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void go();
				}}
			>
				<Failure error={error} />
				{children}
				<div class="actions">
					<Button
						type="submit"
						kind="primary"
						busy={busy}
						disabled={!ready}
					>
						{label}
					</Button>
					<Button onClick={onClose}>{t("do.cancel")}</Button>
				</div>
			</form>
		</Dialog>
	);
}
