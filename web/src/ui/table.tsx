/*
 * A table that people can read at any width: below 640 px each row becomes a card with the
 * columns' names in it. For some hundred rows; what is longer needs virtual rows.
 */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../texts";
import { EmptyState } from "./basics";
import { Ascending, Descending } from "./icons";

export interface Column<Row> {
	key: string;
	label: string;
	numeric?: boolean;
	show: (row: Row) => ComponentChildren;
	sort?: (row: Row) => string | number;
}

export interface Order {
	key: string;
	down: boolean;
}

export function sorted<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
	const by = columns.find((column) => column.key === order?.key)?.sort;
	if (!order || !by) return rows;
	const sign = order.down ? -1 : 1;
	return [...rows].sort((a, b) => {
		const x = by(a);
		const y = by(b);
		if (typeof x === "number" && typeof y === "number") return sign * (x - y);
		return sign * String(x).localeCompare(String(y));
	});
}

interface TableProps<Row> {
	caption: string;
	columns: Column<Row>[];
	rows: Row[];
	id: (row: Row) => string;
	empty?: ComponentChildren;
}

export function Table<Row>({ caption, columns, rows, id, empty }: TableProps<Row>) {
	const [order, setOrder] = useState<Order | null>(null);
	const frame = useRef<HTMLDivElement>(null);

	/* What scrolls must be reachable by keyboard; what does not is no stop for Tab. */
	useLayoutEffect(() => {
		const element = frame.current;
		if (!element) return;
		if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
		else element.removeAttribute("tabindex");
	});
	if (rows.length === 0) return <>{empty ?? <EmptyState title={t("table.empty")} />}</>;

	const turn = (key: string) =>
		setOrder(order?.key === key ? { key, down: !order.down } : { key, down: false });
	return (
		<div class="table-frame" ref={frame}>
			<table role="table" aria-label={caption}>
				<thead role="rowgroup">
					<tr role="row">
						{columns.map((column) => (
							<Heading column={column} order={order} turn={turn} />
						))}
					</tr>
				</thead>
				<tbody role="rowgroup">
					{sorted(rows, columns, order).map((row) => (
						<tr role="row" key={id(row)}>
							{columns.map((column) => (
								<td role="cell" class={column.numeric ? "numeric" : undefined} data-label={column.label}>
									<div>{column.show(row)}</div>
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function Heading<Row>({ column, order, turn }: {
	column: Column<Row>;
	order: Order | null;
	turn: (key: string) => void;
}) {
	const mine = order?.key === column.key ? order : null;
	const sort = mine ? (mine.down ? "descending" : "ascending") : undefined;
	return (
		<th role="columnheader" scope="col" class={column.numeric ? "numeric" : undefined} aria-sort={sort}>
			{column.sort ? (
				<button type="button" class="sort" onClick={() => turn(column.key)}>
					{column.label}
					{mine && (mine.down ? <Descending /> : <Ascending />)}
				</button>
			) : (
				column.label
			)}
		</th>
	);
}
