/* Enters a home server, or another AXL password for one. */
import { useState } from "preact/hooks";
import { command } from "../api";
import { say } from "../notices";
import { t } from "../texts";
import { Banner, FormDialog, SelectField, TextField } from "../ui";

const AXL_PORT = "8443";
const PIN = /^[0-9a-fA-F]{64}$/;

type Verify = "ca" | "pin" | "off";

export function HomeServerDialog({ onClose }: { onClose: () => void }) {
	const [name, setName] = useState("");
	const [address, setAddress] = useState("");
	const [user, setUser] = useState("");
	const [password, setPassword] = useState("");
	const [verify, setVerify] = useState<Verify>("ca");
	const [pin, setPin] = useState("");
	const pinFits = verify !== "pin" || PIN.test(pin.trim());
	const words = [name, address, user].map((word) => word.trim());
	const ready = pinFits && password !== "" && words.every((word) => word && !/\s/.test(word));

	const add = async () => {
		await command(
			"home-server",
			"add",
			name.trim(),
			`address=${withPort(address.trim())}`,
			`user=${user.trim()}`,
			`password=${password}`,
			`verify=${verify === "pin" ? pin.trim().toLowerCase() : verify}`,
		);
		say("ok", t("homes.added", { name: name.trim() }));
	};
	return (
		<FormDialog
			title={t("homes.add")}
			label={t("do.add")}
			ready={ready}
			onClose={onClose}
			run={add}
		>
			<TextField
				label={t("homes.name")}
				required
				value={name}
				onInput={setName}
			/>
			<TextField
				label={t("homes.host")}
				placeholder={`cups.example.net:${AXL_PORT}`}
				required
				value={address}
				onInput={setAddress}
			/>
			<TextField
				label={t("homes.user")}
				autocomplete="off"
				required
				value={user}
				onInput={setUser}
			/>
			<TextField
				label={t("homes.password")}
				type="password"
				autocomplete="new-password"
				required
				value={password}
				onInput={setPassword}
			/>
			<VerifyField verify={verify} setVerify={setVerify} />
			{verify === "pin" && (
				<TextField
					label={t("homes.pin")}
					error={pin !== "" && !pinFits ? t("homes.pin-wrong") : null}
					required
					value={pin}
					onInput={setPin}
				/>
			)}
		</FormDialog>
	);
}

function withPort(address: string): string {
	return /:\d+$/.test(address) ? address : `${address}:${AXL_PORT}`;
}

function VerifyField({
	verify,
	setVerify,
}: {
	verify: Verify;
	setVerify: (verify: Verify) => void;
}) {
	return (
		<>
			<SelectField<Verify>
				label={t("homes.verify")}
				value={verify}
				choices={[
					{ value: "ca", label: t("homes.verify-ca") },
					{ value: "pin", label: t("homes.verify-pin") },
					{ value: "off", label: t("homes.verify-off") },
				]}
				onChange={setVerify}
			/>
			{verify === "off" && (
				<Banner kind="warning" title={t("homes.verify-off-warning")} />
			)}
		</>
	);
}

export function PasswordDialog({ name, onClose }: { name: string; onClose: () => void }) {
	const [password, setPassword] = useState("");
	return (
		<FormDialog
			title={t("homes.password-of", { name })}
			label={t("homes.change-password")}
			ready={password !== ""}
			onClose={onClose}
			run={async () => {
				await command("home-server", "password", name, password);
				say("ok", t("homes.password-changed", { name }));
			}}
		>
			<TextField
				label={t("homes.password")}
				type="password"
				autocomplete="new-password"
				required
				value={password}
				onInput={setPassword}
			/>
		</FormDialog>
	);
}
