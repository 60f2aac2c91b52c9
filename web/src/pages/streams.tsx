/* The streams with the world, however many. */
import { useState } from "preact/hooks";
import { command, may } from "../api";
import { given, isWell, type Stream } from "../live/data";
import { age, bytes, whole } from "../live/figures";
import { GridPage } from "../live/grid_page";
import type { Column } from "../live/virtual_table";
import { useLoad } from "../load";
import { say, sayError } from "../notices";
import { language } from "../preferences";
import { href } from "../router";
import { t } from "../texts";
import { Badge, Button, Dialog, Facts, LinkButton, type State } from "../ui";

const REFRESH_S = 10;

const ON_THE_WAY = /^(connecting|offered|idle|wait-.*|waiting)$/;
const AT_ITS_END = /^(closing|closed|none)$/;

/* Any other state is the name of the failure that a pair of domains waits after. */
function stateOf(stream: Stream): State {
	if (isWell(stream.state)) return "ok";
	if (ON_THE_WAY.test(stream.state)) return "busy";
	return AT_ITS_END.test(stream.state) ? "off" : "bad";
}

function directionWord(stream: Stream): string {
	return stream.direction === "out" ? t("stream.out") : t("stream.in");
}

const columns = (): Column<Stream>[] => [
	{
		key: "state",
		label: t("stream.state"),
		cell: (stream) => stream.state,
		show: (stream) => <Badge state={stateOf(stream)}>{stream.state}</Badge>,
		width: "minmax(110px, 1.2fr)",
	},
	{
		key: "direction",
		label: t("stream.direction"),
		cell: (stream) => stream.direction,
		show: directionWord,
		width: "84px",
	},
	{
		key: "remote",
		label: t("stream.remote"),
		cell: (stream) => stream.remote,
		width: "minmax(150px, 2.4fr)",
		card: "title",
	},
	{
		key: "local",
		label: t("stream.local"),
		cell: (stream) => stream.local,
		width: "minmax(120px, 1.8fr)",
	},
	{ key: "tls", label: t("stream.tls"), cell: (stream) => stream.tls, width: "84px" },
	{
		key: "auth",
		label: t("stream.auth"),
		cell: (stream) => stream.auth,
		width: "100px",
		card: "hidden",
	},
	{
		key: "stanzas",
		label: t("stream.stanzas"),
		cell: (stream) => stream.stanzas,
		show: (stream) => whole(stream.stanzas, language.value),
		numeric: true,
		width: "92px",
		card: "hidden",
	},
	{
		key: "seconds",
		label: t("stream.age"),
		cell: (stream) => stream.seconds,
		show: (stream) => age(stream.seconds),
		numeric: true,
		width: "80px",
		card: "hidden",
	},
	{
		key: "xcoder",
		label: t("stream.id"),
		cell: (stream) => stream.xcoder,
		show: (stream) => <span class="mono">{stream.xcoder}</span>,
		width: "104px",
		card: "hidden",
	},
];

export function StreamsPage() {
	const loaded = useLoad<{ streams: Stream[] }>("streams", REFRESH_S);
	const [open, setOpen] = useState<Stream | null>(null);

	return (
		<>
			<GridPage
				label={t("page.streams")}
				loaded={loaded}
				rows={loaded.data?.streams}
				columns={columns()}
				id={(stream) =>
					`${stream.xcoder} ${stream.direction} ${stream.local} ${stream.remote}`
				}
				words={(stream) => Object.values(stream).join(" ")}
				first={{ key: "seconds", descending: false }}
				none={t("streams.none")}
				onOpen={setOpen}
			/>
			{open && (
				<StreamDialog
					stream={open}
					onClose={() => setOpen(null)}
					changed={loaded.reload}
				/>
			)}
		</>
	);
}

function StreamDialog({
	stream,
	onClose,
	changed,
}: {
	stream: Stream;
	onClose: () => void;
	changed: () => void;
}) {
	const [asks, setAsks] = useState(false);
	const close = async () => {
		try {
			await command("close", stream.xcoder);
			say("ok", t("stream.closed", { xcoder: stream.xcoder }));
			changed();
		} catch (error) {
			sayError(error);
		}
		onClose();
	};
	return (
		<Dialog
			title={t("stream.title", { remote: stream.remote })}
			onClose={onClose}
			actions={
				<>
					<LinkButton
						href={href("/why/:domain", {
							domain: stream.remote,
						})}
					>
						{t("stream.why")}
					</LinkButton>
					{may("operate") && (
						<LinkButton
							href={href(
								"/log",
								{},
								{ stream: stream.xcoder },
							)}
						>
							{t("stream.log")}
						</LinkButton>
					)}
					{may("operate") && (
						<Button
							kind="danger"
							onClick={() =>
								asks ? void close() : setAsks(true)
							}
						>
							{asks
								? t("stream.close-sure")
								: t("stream.close")}
						</Button>
					)}
				</>
			}
		>
			<Facts facts={factsOf(stream)} />
			{asks && <p role="status">{t("stream.close-what")}</p>}
		</Dialog>
	);
}

function factsOf(stream: Stream) {
	return [
		{
			name: t("stream.state"),
			value: <Badge state={stateOf(stream)}>{stream.state}</Badge>,
		},
		{ name: t("stream.direction"), value: directionWord(stream) },
		{ name: t("stream.local"), value: stream.local },
		{ name: t("stream.remote"), value: stream.remote },
		{ name: t("stream.address"), value: <span class="mono">{stream.address}</span> },
		{
			name: t("stream.tls"),
			value: [stream.tls, stream.cipher].filter(Boolean).join(" "),
		},
		{ name: t("stream.certificate"), value: stream.certificate },
		{ name: t("stream.auth"), value: stream.auth },
		{ name: t("stream.age"), value: age(stream.seconds) },
		{ name: t("stream.stanzas"), value: whole(stream.stanzas, language.value) },
		{
			name: t("stream.bytes"),
			value: given(stream.bytes) ? bytes(stream.bytes, language.value) : "",
		},
		{ name: t("stream.id"), value: <span class="mono">{stream.xcoder}</span> },
	].filter((fact) => fact.value !== "");
}
