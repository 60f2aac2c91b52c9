/* The node's certificates: what they cover and how long; a request; the answer installed. */
import { useState } from "preact/hooks";
import { command, may, session } from "../api";
import { asError, useLoad } from "../load";
import { say } from "../notices";
import { type PlainKey, t } from "../texts";
import {
	AreaField,
	Badge,
	Button,
	Copyable,
	EmptyState,
	type Fact,
	Facts,
	Failure,
	Loading,
	Section,
	TextField,
	Time,
} from "../ui";

interface Certificate {
	setting: string;
	name: string;
	not_after: number;
	names: string;
	issuer: string;
	fingerprint: string;
	uncovered: string;
}

export function CertificatesPage() {
	const loaded = useLoad<{ certificates: Certificate[] }>("certificates");
	const edge = session.value?.node.role === "edge";
	return (
		<>
			<p class="lead">{t("certs.lead")}</p>
			<Failure error={loaded.error} retry={loaded.reload} />
			{!loaded.data && loaded.busy && <Loading />}
			{loaded.data?.certificates.length === 0 && (
				<EmptyState title={t("certs.none")}>
					<p>{t("certs.none-fix")}</p>
				</EmptyState>
			)}
			<div class="columns">
				{loaded.data?.certificates.map((certificate) => (
					<Section title={nameOf(certificate.setting)}>
						<Facts facts={factsOf(certificate)} />
					</Section>
				))}
			</div>
			{edge && may("admin") && (
				<div class="columns">
					<Request />
					<Install onInstalled={loaded.reload} />
				</div>
			)}
		</>
	);
}

const uses: Record<string, PlainKey> = {
	"tls.certificate": "certs.world",
	"axl.certificate": "certs.axl",
	"admin.certificate": "certs.page",
};

function nameOf(setting: string): string {
	const use = uses[setting];
	return use ? t(use) : setting;
}

const DAY_MS = 86400000;
const SOON_DAYS = 21;

function Ends({ certificate }: { certificate: Certificate }) {
	const ms = certificate.not_after * 1000;
	const days = Math.floor((ms - Date.now()) / DAY_MS);
	const state = days < 0 ? "bad" : days < SOON_DAYS ? "warning" : "ok";
	return (
		<>
			<Time ms={ms} exact />
			<div>
				<Badge state={state}>
					{days < 0 ? t("certs.expired") : t("certs.days", { days })}
				</Badge>
			</div>
		</>
	);
}

/* Names with commas between them, one on each line. */
function Names({ names }: { names: string }) {
	return (
		<ul class="value">
			{names.split(",").map((name) => (
				<li>{name}</li>
			))}
		</ul>
	);
}

function factsOf(certificate: Certificate): Fact[] {
	const facts: Fact[] = [
		{ name: t("certs.name"), value: certificate.name },
		{ name: t("certs.ends"), value: <Ends certificate={certificate} /> },
	];
	if (certificate.names)
		facts.push({ name: t("certs.names"), value: <Names names={certificate.names} /> });
	if (certificate.uncovered)
		facts.push({
			name: <Badge state="warning">{t("certs.uncovered")}</Badge>,
			value: <Names names={certificate.uncovered} />,
		});
	if (certificate.issuer) facts.push({ name: t("certs.issuer"), value: certificate.issuer });
	if (certificate.fingerprint)
		facts.push({
			name: t("certs.fingerprint"),
			value: <Copyable text={certificate.fingerprint} />,
		});
	return facts;
}

function Request() {
	const [names, setNames] = useState("");
	const [pem, setPem] = useState("");
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);

	const make = async () => {
		setBusy(true);
		setError(null);
		try {
			const words = names.split(/[\s,]+/).filter(Boolean);
			setPem((await command("cert", "csr", ...words)).text);
		} catch (failed) {
			setError(asError(failed));
		}
		setBusy(false);
	};
	return (
		<Section title={t("certs.request")}>
			<p>{t("certs.request-lead")}</p>
			<Failure error={error} />
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void make();
				}}
			>
				<TextField
					label={t("certs.request-names")}
					help={t("certs.request-names-help")}
					value={names}
					onInput={setNames}
				/>
				<div class="actions">
					<Button type="submit" busy={busy}>
						{t("certs.request-do")}
					</Button>
				</div>
			</form>
			<div role="status">{pem && <Copyable text={pem} block />}</div>
		</Section>
	);
}

function Install({ onInstalled }: { onInstalled: () => void }) {
	const [pem, setPem] = useState("");
	const [error, setError] = useState<Error | null>(null);
	const [busy, setBusy] = useState(false);

	const install = async () => {
		setBusy(true);
		setError(null);
		try {
			const reply = await command("cert", "install", pem.trim() + "\n");
			say("ok", t("certs.installed"), reply.text);
			setPem("");
			onInstalled();
		} catch (failed) {
			setError(asError(failed));
		}
		setBusy(false);
	};
	return (
		<Section title={t("certs.install")}>
			<p>{t("certs.install-lead")}</p>
			<Failure error={error} />
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void install();
				}}
			>
				<AreaField
					label={t("certs.pem")}
					rows={8}
					value={pem}
					onInput={setPem}
				/>
				<div class="actions">
					<Button
						type="submit"
						kind="primary"
						busy={busy}
						disabled={!pem.includes("-----BEGIN")}
					>
						{t("certs.install-do")}
					</Button>
				</div>
			</form>
		</Section>
	);
}
