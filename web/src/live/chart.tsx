/* A chart of uPlot's in the page's own colours, drawn anew when scheme or width change. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { language, scheme } from "../preferences";
import { whole } from "./figures";

export interface Curve {
	label: string;
	colour: string; /* a custom property of the style sheet: "--chart-1" */
	dashed?: boolean; /* so that colour is not the only difference */
	values: (number | null)[];
}

interface Props {
	label: string;
	times: number[];
	curves: Curve[];
	unit: string;
	height?: number;
}

/* Of the upright axis: nothing is counted in halves. */
const WHOLE_STEPS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap((n) => [n, 2 * n, 5 * n]);

const DARK = "(prefers-color-scheme: dark)";

/* Changes when the colours do. */
function useScheme(): string {
	const [system, setSystem] = useState(() => (matchMedia(DARK).matches ? "dark" : "light"));

	useEffect(() => {
		const query = matchMedia(DARK);
		const changed = () => setSystem(query.matches ? "dark" : "light");
		query.addEventListener("change", changed);
		return () => query.removeEventListener("change", changed);
	}, []);
	return scheme.value === "auto" ? system : scheme.value;
}

/* A canvas does not know custom properties: an element that uses one does. */
function coloursOf(room: HTMLElement): (name: string) => string {
	return (name) => {
		const probe = document.createElement("span");
		probe.style.color = `var(${name})`;
		room.append(probe);
		const colour = getComputedStyle(probe).color;
		probe.remove();
		return colour;
	};
}

function optionsFor(props: Props, width: number, room: HTMLElement): uPlot.Options {
	const colour = coloursOf(room);
	const font = `12px ${getComputedStyle(room).fontFamily}`;
	const axis = {
		stroke: colour("--muted"),
		grid: { stroke: colour("--line"), width: 1 },
		ticks: { stroke: colour("--line"), width: 1 },
		font,
	};
	const figure = (value: number | null) =>
		value === null ? "–" : `${whole(value, language.value)} ${props.unit}`.trim();
	const clock = new Intl.DateTimeFormat(language.value, {
		hour: "2-digit",
		minute: "2-digit",
		hourCycle: "h23",
	});

	return {
		width,
		height: props.height ?? 200,
		legend: { live: true },
		cursor: { points: { size: 6 }, drag: { x: false, y: false } },
		scales: {
			x: { time: true },
			y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
		},
		axes: [
			{
				...axis,
				values: (_, splits) => splits.map((at) => clock.format(at * 1000)),
			},
			{
				...axis,
				size: 56,
				incrs: WHOLE_STEPS,
				values: (_, splits) =>
					splits.map((value) => whole(value, language.value)),
			},
		],
		series: [
			{ value: (_, at) => (at ? clock.format(at * 1000) : "–"), label: "" },
			...props.curves.map((curve) => ({
				label: curve.label,
				stroke: colour(curve.colour),
				width: 1.5,
				dash: curve.dashed ? [6, 4] : [],
				spanGaps: false,
				points: { show: false },
				value: (_: uPlot, value: number | null) => figure(value),
			})),
		],
	};
}

export function Chart(props: Props) {
	const room = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const [width, setWidth] = useState(0);
	const colours = useScheme();
	const data = [
		props.times,
		...props.curves.map((curve) => curve.values),
	] as uPlot.AlignedData;
	const shape = props.curves.map((curve) => curve.label).join("\n");

	useEffect(() => {
		const element = room.current;
		if (!element) return undefined;
		const watcher = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
		watcher.observe(element);
		return () => watcher.disconnect();
	}, []);
	useEffect(() => {
		if (!room.current || width === 0) return undefined;
		plot.current = new uPlot(
			optionsFor(props, width, room.current),
			data,
			room.current,
		);
		return () => {
			plot.current?.destroy();
			plot.current = null;
		};
	}, [width, colours, shape, language.value]);
	useEffect(() => {
		plot.current?.setData(data);
	}, [props.times, props.curves]);

	return <div class="chart" ref={room} role="img" aria-label={props.label} />;
}
