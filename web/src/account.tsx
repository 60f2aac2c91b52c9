/* The account's menu: language, colours, password, good-bye. */
import { useEffect, useRef, useState } from "preact/hooks";
import { changePassword, logOut, session } from "./api";
import { say, sayError } from "./notices";
import { type Language, type Scheme, language, scheme } from "./preferences";
import { t } from "./texts";
import { Button, FormDialog, SelectField, TextField } from "./ui";
import { Down, Person } from "./ui/icons";
import { FreshPassword, PASSWORD_LENGTH } from "./ui/password";

export function AccountMenu() {
	const [open, setOpen] = useState(false);
	const [changing, setChanging] = useState(false);
	const menu = useRef<HTMLDivElement>(null);
	const name = session.value?.name ?? "";

	useEffect(() => {
		if (!open) return undefined;
		const away = (event: Event) => {
			if (!menu.current?.contains(event.target as Node)) setOpen(false);
		};
		document.addEventListener("pointerdown", away);
		document.addEventListener("focusin", away);
		return () => {
			document.removeEventListener("pointerdown", away);
			document.removeEventListener("focusin", away);
		};
	}, [open]);
	const close = () => {
		setOpen(false);
		menu.current?.querySelector("button")?.focus();
	};
	const askPassword = () => {
		close(); /* the dialog gives the focus back to the menu's button */
		setChanging(true);
	};
	return (
		<div class="account" ref={menu} onKeyDown={(event) => event.key === "Escape" && open && close()}>
			<button
				type="button"
				class="button quiet"
				aria-expanded={open}
				aria-controls="account"
				aria-label={`${t("account.menu")}: ${name}`}
				onClick={() => setOpen(!open)}
			>
				<Person />
				<span class="account-name">{name}</span>
				<Down />
			</button>
			<div id="account" class="account-panel" hidden={!open}>
				<AccountPanel onPassword={askPassword} />
			</div>
			{changing && <PasswordDialog onClose={() => setChanging(false)} />}
		</div>
	);
}

function AccountPanel({ onPassword }: { onPassword: () => void }) {
	const own = session.value;
	if (!own) return null;
	return (
		<>
			<p>
				<strong>{own.name}</strong>, {t(`access.${own.access}`)}
				<br />
				<small>Sallyport {own.release}</small>
			</p>
			<Preferences />
			<div class="actions">
				<Button onClick={onPassword}>{t("account.password")}</Button>
				<Button onClick={() => void logOut().catch(sayError)}>{t("account.logout")}</Button>
			</div>
		</>
	);
}

export function Preferences() {
	return (
		<>
			<SelectField<Language>
				label={t("account.language")}
				value={language.value}
				choices={[
					{ value: "en", label: "English" },
					{ value: "de", label: "Deutsch" },
				]}
				onChange={(value) => {
					language.value = value;
				}}
			/>
			<SelectField<Scheme>
				label={t("account.scheme")}
				value={scheme.value}
				choices={[
					{ value: "auto", label: t("account.scheme-auto") },
					{ value: "light", label: t("account.scheme-light") },
					{ value: "dark", label: t("account.scheme-dark") },
				]}
				onChange={(value) => {
					scheme.value = value;
				}}
			/>
		</>
	);
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
	const [old, setOld] = useState("");
	const [fresh, setFresh] = useState<string | null>(null);

	const change = async () => {
		await changePassword(old, fresh ?? "");
		say("ok", t("account.changed"));
	};
	return (
		<FormDialog
			title={t("account.password")}
			label={t("account.password")}
			ready={fresh !== null && old !== ""}
			onClose={onClose}
			run={change}
		>
			<TextField
				label={t("account.old")}
				type="password"
				autocomplete="current-password"
				required
				value={old}
				onInput={setOld}
			/>
			<FreshPassword onChange={setFresh} minimum={PASSWORD_LENGTH} />
		</FormDialog>
	);
}
