/*
 * A table of any length: only the rows that are seen are drawn. Rows have one height; below 640 px
 * each is a card of a few lines. The keyboard moves through all of them (arrows, page keys, Home,
 * End), Enter opens one; a screen reader hears how many there are and which this is.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../texts";
import { moved, scrollFor, sorted, windowOf, type Cell, type Order } from "./rows";

export interface Column<Row> {
	key: string;
	label: string;
	cell: (row: Row) => Cell; /* by which it is sorted */
	show?: (row: Row) => ComponentChildren; /* if not as the cell says */
	numeric?: boolean;
	width: string; /* of a grid's column */
	/* what becomes of it on a phone; "line", half a line, if nothing is said */
	card?: "title" | "line" | "wide" | "hidden";
}

const ROW_HEIGHT = 34;
const CARD_HEIGHT = 92;
const NARROW = "(max-width: 640px)";

function useNarrow(): boolean {
	const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);

	useEffect(() => {
		const query = matchMedia(NARROW);
		const changed = () => setNarrow(query.matches);
		query.addEventListener("change", changed);
		return () => query.removeEventListener("change", changed);
	}, []);
	return narrow;
}

interface Props<Row> {
	label: string;
	columns: Column<Row>[];
	rows: Row[];
	id: (row: Row) => string;
	first: Order<string>; /* how it is sorted at the start */
	onOpen: (row: Row) => void;
}

export function VirtualTable<Row>({ label, columns, rows, id, first, onOpen }: Props<Row>) {
	const [order, setOrder] = useState(first);
	const [focused, setFocused] = useState<string | null>(null);
	const [scrolled, setScrolled] = useState(0);
	const [height, setHeight] = useState(600);
	const body = useRef<HTMLDivElement>(null);
	const wantsFocus = useRef(false);
	const narrow = useNarrow();

	const by = columns.find((column) => column.key === order.key) ?? columns[0];
	const shown = useMemo(
		() => (by ? sorted(rows, by.cell, order.descending) : rows),
		[rows, by?.key, order.descending],
	);
	const rowHeight = narrow ? CARD_HEIGHT : ROW_HEIGHT;
	const at = Math.max(
		0,
		shown.findIndex((row) => id(row) === focused),
	);
	const part = windowOf(shown.length, rowHeight, scrolled, height);
	/* where Tab leads: to the row that has the focus, or to one that is seen */
	const isDrawn = at >= part.first && at < part.end;
	const tabbed = isDrawn ? at : Math.min(shown.length - 1, Math.ceil(scrolled / rowHeight));

	useEffect(() => {
		const element = body.current;
		if (!element) return undefined;
		const watcher = new ResizeObserver(() => setHeight(element.clientHeight));
		watcher.observe(element);
		return () => watcher.disconnect();
	}, []);

	/* the row that the keyboard moved to is drawn only now */
	useLayoutEffect(() => {
		if (!wantsFocus.current) return;
		wantsFocus.current = false;
		body.current
			?.querySelector<HTMLElement>('[tabindex="0"]')
			?.focus({ preventScroll: true });
	});

	const goTo = (target: number) => {
		const row = shown[target];
		if (!row || !body.current) return;
		wantsFocus.current = true;
		setFocused(id(row));
		body.current.scrollTop = scrollFor(
			target,
			rowHeight,
			body.current.scrollTop,
			height,
		);
		setScrolled(body.current.scrollTop);
	};
	const onKey = (event: KeyboardEvent) => {
		const page = Math.max(1, Math.floor(height / rowHeight) - 1);
		const target = moved(event.key, at, shown.length, page);
		const row = shown[at];

		if (target !== null) {
			event.preventDefault();
			goTo(target);
		} else if ((event.key === "Enter" || event.key === " ") && row) {
			event.preventDefault();
			onOpen(row);
		}
	};
	const template = columns.map((column) => column.width).join(" ");

	return (
		<div
			class={narrow ? "grid cards" : "grid"}
			role="grid"
			aria-label={label}
			aria-rowcount={shown.length + 1}
			aria-colcount={columns.length}
		>
			<div class="grid-head" role="rowgroup">
				<div
					class="grid-row"
					role="row"
					aria-rowindex={1}
					style={narrow ? {} : { gridTemplateColumns: template }}
				>
					{columns.map((column) => (
						<Heading
							column={column}
							order={order}
							onOrder={setOrder}
						/>
					))}
				</div>
			</div>
			<div
				class="grid-body"
				role="rowgroup"
				ref={body}
				onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
				onKeyDown={onKey}
			>
				<div style={{ height: `${part.above}px` }} />
				{shown.slice(part.first, part.end).map((row, i) => {
					const index = part.first + i;
					return (
						<div
							key={id(row)}
							class="grid-row"
							role="row"
							aria-rowindex={index + 2}
							tabIndex={index === tabbed ? 0 : -1}
							onFocus={() => setFocused(id(row))}
							style={
								narrow
									? {
											height: `${rowHeight}px`,
										}
									: {
											height: `${rowHeight}px`,
											gridTemplateColumns:
												template,
										}
							}
							onClick={() => onOpen(row)}
						>
							{columns.map((column) => (
								<GridCell
									column={column}
									row={row}
								/>
							))}
						</div>
					);
				})}
				<div style={{ height: `${part.below}px` }} />
			</div>
		</div>
	);
}

function GridCell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
	const shown = column.show ? column.show(row) : column.cell(row);
	const classes = ["grid-cell", column.numeric ? "numeric" : "", column.card ?? "line"];

	return (
		<div
			role="gridcell"
			class={classes.filter(Boolean).join(" ")}
			data-label={column.label}
		>
			{shown === "" || shown === null || shown === undefined ? "–" : shown}
		</div>
	);
}

function Heading<Row>({
	column,
	order,
	onOrder,
}: {
	column: Column<Row>;
	order: Order<string>;
	onOrder: (order: Order<string>) => void;
}) {
	const mine = order.key === column.key;
	const sort = mine ? (order.descending ? "descending" : "ascending") : "none";
	const turn = () => onOrder({ key: column.key, descending: mine && !order.descending });

	return (
		<div
			role="columnheader"
			class={column.numeric ? "grid-cell numeric" : "grid-cell"}
			aria-sort={sort}
		>
			<button
				type="button"
				class="sort"
				aria-label={t("table.sort", { column: column.label })}
				onClick={turn}
			>
				{column.label}
				<span class="sort-sign" aria-hidden="true">
					{mine ? (order.descending ? "▾" : "▴") : ""}
				</span>
			</button>
		</div>
	);
}
