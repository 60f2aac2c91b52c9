/* Packets of this node: what was captured, and the start of another capture. */
import { useState } from "preact/hooks";
import { command, may } from "../api";
import { status as liveStatus } from "../live";
import { useLoad } from "../load";
import { say, sayError } from "../notices";
import { language } from "../preferences";
import { t } from "../texts";
import {
	Badge,
	Button,
	EmptyState,
	Failure,
	LinkButton,
	Loading,
	Section,
	Table,
	TextField,
	Time,
	type Column,
	type State,
} from "../ui";
import { given, type Capture, type Status } from "./data";
import { bytes, whole } from "./figures";

const STATES: Record<string, State> = { running: "busy", kept: "ok", failed: "bad" };
const WORDS = ["running", "kept", "failed"] as const;

function stateWord(state: string): string {
	const known = WORDS.find((each) => each === state);
	return known ? t(`capture.${known}`) : state;
}

const columns = (): Column<Capture>[] => [
	{
		key: "name",
		label: t("capture.name"),
		show: (each) => <span class="mono">{each.name}</span>,
	},
	{
		key: "state",
		label: t("diag.state"),
		show: (each) => (
			<>
				<Badge state={STATES[each.state] ?? "off"}>
					{stateWord(each.state)}
				</Badge>
				{each.why && <small> {each.why}</small>}
			</>
		),
	},
	{ key: "interface", label: t("capture.interface"), show: (each) => each.interface || "–" },
	{
		key: "packets",
		label: t("capture.count"),
		numeric: true,
		show: (each) => (given(each.packets) ? whole(each.packets, language.value) : "–"),
	},
	{
		key: "bytes",
		label: t("diag.size"),
		numeric: true,
		show: (each) => (given(each.bytes) ? bytes(each.bytes, language.value) : "–"),
	},
	{
		key: "began",
		label: t("diag.began"),
		show: (each) => (given(each.began) ? <Time ms={each.began * 1000} /> : "–"),
	},
	{
		key: "get",
		label: t("capture.file"),
		show: (each) =>
			may("admin") && each.state === "kept" ? (
				<LinkButton
					href={`/api/v1/captures/${encodeURIComponent(each.name)}`}
					download
				>
					{t("capture.get")}
				</LinkButton>
			) : (
				"–"
			),
	},
];

export function Captures() {
	const first = useLoad<Status>("status");
	const captures = (liveStatus.value ?? first.data)?.captures;

	if (!captures)
		return first.error ? (
			<Failure error={first.error} retry={first.reload} />
		) : (
			<Loading />
		);
	const running = captures.some((each) => each.state === "running");
	const stop = async () => {
		try {
			await command("capture", "stop");
			say("ok", t("capture.stopped"));
		} catch (error) {
			sayError(error);
		}
	};
	return (
		<>
			<Section
				title={t("capture.list")}
				actions={
					running && may("admin") ? (
						<Button kind="danger" onClick={() => void stop()}>
							{t("capture.stop")}
						</Button>
					) : undefined
				}
			>
				<Table
					caption={t("capture.list")}
					columns={columns()}
					rows={captures}
					id={(each) => each.name}
					empty={<EmptyState title={t("capture.none")} />}
				/>
			</Section>
			{may("admin") && !running && <StartCapture />}
		</>
	);
}

function StartCapture() {
	const [device, setDevice] = useState("any");
	const [file, setFile] = useState("");
	const [count, setCount] = useState("100000");
	const [port, setPort] = useState("");
	const [busy, setBusy] = useState(false);

	const start = async (event: Event) => {
		event.preventDefault();
		setBusy(true);
		const pairs: [string, string][] = [
			["file", file],
			["count", count],
			["port", port],
		];
		const words = pairs.flatMap(([key, value]) =>
			value.trim() ? [key, value.trim()] : [],
		);
		try {
			const reply = await command("capture", "start", device.trim(), ...words);
			say("ok", t("capture.started"), reply.text);
		} catch (error) {
			sayError(error);
		}
		setBusy(false);
	};
	return (
		<Section title={t("capture.start")}>
			<form onSubmit={(event) => void start(event)}>
				<TextField
					label={t("capture.interface")}
					help={t("capture.interface-help")}
					value={device}
					onInput={setDevice}
					error={device.trim() ? null : t("capture.interface-wrong")}
				/>
				<TextField
					label={t("capture.name")}
					value={file}
					onInput={setFile}
				/>
				<TextField
					label={t("capture.count")}
					type="number"
					value={count}
					onInput={setCount}
				/>
				<TextField
					label={t("capture.port")}
					help={t("capture.port-help")}
					type="number"
					value={port}
					onInput={setPort}
				/>
				<div class="actions">
					<Button
						type="submit"
						kind="primary"
						busy={busy}
						disabled={!device.trim()}
					>
						{t("capture.start-do")}
					</Button>
				</div>
			</form>
		</Section>
	);
}
