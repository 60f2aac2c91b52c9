/* Edge, Configuration > Unified Communications: federation with the world, and how it does. */
import { useState } from "preact/hooks";
import { may } from "../api";
import { type Change, ReviewDialog } from "../config/review";
import { type Setting, isSecret, wordsOf } from "../config/settings";
import { SecretField } from "../config/secret_field";
import { ServiceStatus } from "../config/service_status";
import { type Settings, useSettings } from "../config/use_settings";
import { href } from "../router";
import { t } from "../texts";
import { Banner, Button, CheckField, ChoiceField, Failure, Loading, Section } from "../ui";

export function UnifiedPage() {
	const settings = useSettings();
	return (
		<div class="columns wide-first">
			<Section title={t("unified.settings")}>
				<Failure error={settings.error} retry={settings.reload} />
				{settings.list ? (
					<FederationForm settings={settings} />
				) : (
					settings.busy && <Loading />
				)}
			</Section>
			<ServiceStatus />
		</div>
	);
}

/* What was chosen and is not saved: setting and word. */
type Draft = Record<string, string>;

function wordIn(setting: Setting | undefined): string {
	return setting ? (wordsOf(setting.value)[0] ?? "") : "";
}

function changesOf(draft: Draft, settings: Settings, secret: string): Change[] {
	const changes = Object.entries(draft)
		.filter(([name, word]) => word !== wordIn(settings.find(name)))
		.map(([name, word]) => ({ name, words: [word] }));
	if (secret) changes.push({ name: "federation.dialback_secret", words: [secret] });
	return changes;
}

const SECRET_LENGTH = 16;

function FederationForm({ settings }: { settings: Settings }) {
	const [draft, setDraft] = useState<Draft>({});
	const [secret, setSecret] = useState("");
	const [reviewing, setReviewing] = useState(false);
	const disabled = !may("admin");
	const changes = changesOf(draft, settings, secret);

	const field = (name: string) => ({
		value: draft[name] ?? wordIn(settings.find(name)),
		onChange: (word: string) => setDraft({ ...draft, [name]: word }),
		disabled,
	});
	const reset = () => {
		setDraft({});
		setSecret("");
	};
	return (
		<form
			onSubmit={(event) => {
				event.preventDefault();
				setReviewing(true);
			}}
		>
			{disabled && <Banner kind="info" title={t("review.viewer")} />}
			<OnOff
				label={t("unified.federation")}
				help={t("unified.federation-help")}
				{...field("federation.enabled")}
			/>
			<OnOff
				label={t("unified.routes")}
				help={t("unified.routes-help")}
				{...field("federation.use_static_routes")}
			/>
			<p>
				<a href={href("/config/static-routes")}>
					{t("unified.routes-link", {
						count: countOf(
							settings,
							"federation.static_routes",
						),
					})}
				</a>
			</p>
			<SecretField
				label={t("unified.secret")}
				help={secretHelp(settings.find("federation.dialback_secret"))}
				minimum={SECRET_LENGTH}
				value={secret}
				onInput={setSecret}
				disabled={disabled}
			/>
			<Security field={field} />
			<Privacy field={field} settings={settings} />
			<div class="actions">
				<Button
					type="submit"
					kind="primary"
					disabled={
						changes.length === 0 ||
						(secret !== "" && secret.length < SECRET_LENGTH)
					}
				>
					{t("review.do")}
				</Button>
				{changes.length > 0 && (
					<Button onClick={reset}>{t("review.undo")}</Button>
				)}
			</div>
			{reviewing && (
				<ReviewDialog
					changes={changes}
					onClose={() => setReviewing(false)}
					onSaved={() => {
						reset();
						settings.reload();
					}}
				/>
			)}
		</form>
	);
}

function countOf(settings: Settings, name: string): number {
	const value = settings.find(name)?.value;
	return Array.isArray(value) ? value.length : 0;
}

function secretHelp(setting: Setting | undefined): string {
	const value = setting?.value;
	return isSecret(value) && value.secret
		? t("unified.secret-help", { fingerprint: value.secret })
		: t("unified.secret-none");
}

interface FieldState {
	value: string;
	onChange: (word: string) => void;
	disabled: boolean;
}
type FieldOf = (name: string) => FieldState;

function OnOff({ label, help, ...field }: { label: string; help: string } & FieldState) {
	return (
		<ChoiceField
			label={label}
			help={help}
			choices={[
				{ value: "on", label: t("word.on") },
				{ value: "off", label: t("word.off") },
			]}
			{...field}
		/>
	);
}

function Security({ field }: { field: FieldOf }) {
	const mode = field("federation.security_mode");
	const verify = field("federation.verify_server_certificates");
	return (
		<>
			<ChoiceField
				label={t("unified.security")}
				choices={[
					{
						value: "tls-required",
						label: t("unified.tls-required"),
						help: t("unified.tls-required-help"),
					},
					{
						value: "tls-optional",
						label: t("unified.tls-optional"),
						help: t("unified.tls-optional-help"),
					},
					{
						value: "no-tls",
						label: t("unified.no-tls"),
						help: t("unified.no-tls-help"),
					},
				]}
				{...mode}
			/>
			<CheckField
				label={t("unified.verify")}
				help={t("unified.verify-help")}
				checked={verify.value === "on"}
				disabled={verify.disabled || mode.value === "no-tls"}
				onChange={(checked) => verify.onChange(checked ? "on" : "off")}
			/>
		</>
	);
}

function Privacy({ field, settings }: { field: FieldOf; settings: Settings }) {
	return (
		<>
			<ChoiceField
				label={t("unified.privacy")}
				choices={[
					{
						value: "off",
						label: t("unified.privacy-off"),
						help: t("unified.privacy-off-help"),
					},
					{
						value: "allow-list",
						label: t("unified.privacy-allow"),
						help: t("unified.privacy-allow-help"),
					},
					{
						value: "deny-list",
						label: t("unified.privacy-deny"),
						help: t("unified.privacy-deny-help"),
					},
				]}
				{...field("federation.privacy_mode")}
			/>
			<p class="actions">
				<a href={href("/config/allow-list")}>
					{t("unified.allow-link", {
						count: countOf(settings, "federation.allow_list"),
					})}
				</a>
				<a href={href("/config/deny-list")}>
					{t("unified.deny-link", {
						count: countOf(settings, "federation.deny_list"),
					})}
				</a>
			</p>
		</>
	);
}
