/* What pages with a long table have in common: search, count, refresh, the table. */
import { useMemo } from "preact/hooks";
import type { Loaded } from "../load";
import { language } from "../preferences";
import { place, setQuery } from "../router";
import { t } from "../texts";
import { Button, EmptyState, Failure, Loading, TextField } from "../ui";
import { whole } from "./figures";
import { matches, needles, type Order } from "./rows";
import { VirtualTable, type Column } from "./virtual_table";

interface Props<Row, Data> {
	label: string;
	loaded: Loaded<Data>;
	rows: Row[] | undefined;
	columns: Column<Row>[];
	id: (row: Row) => string;
	words: (row: Row) => string; /* in which the search looks */
	first: Order<string>;
	none: string;
	onOpen: (row: Row) => void;
}

export function GridPage<Row, Data>(props: Props<Row, Data>) {
	const { loaded, rows } = props;
	const search = place.value.query.get("search") ?? "";
	const haystacks = useMemo(() => rows?.map((row) => props.words(row).toLowerCase()), [rows]);
	const found = useMemo(() => {
		const words = needles(search);
		return rows?.filter((_, i) => matches(haystacks?.[i] ?? "", words));
	}, [rows, haystacks, search]);

	if (!rows || !found)
		return loaded.error ? (
			<Failure error={loaded.error} retry={loaded.reload} />
		) : (
			<Loading />
		);
	return (
		<>
			<div class="grid-tools">
				<TextField
					label={t("do.search")}
					type="search"
					value={search}
					onInput={(text) => setQuery({ search: text })}
				/>
				<p role="status" class="grid-count">
					{found.length === rows.length
						? t("table.rows", {
								count: whole(
									rows.length,
									language.value,
								),
							})
						: t("table.found", {
								count: whole(
									found.length,
									language.value,
								),
								all: whole(
									rows.length,
									language.value,
								),
							})}
				</p>
				<Button busy={loaded.busy} onClick={loaded.reload}>
					{t("do.refresh")}
				</Button>
			</div>
			{loaded.error && <Failure error={loaded.error} retry={loaded.reload} />}
			{found.length === 0 ? (
				<EmptyState
					title={
						rows.length === 0
							? props.none
							: t("table.nothing-found")
					}
				/>
			) : (
				<VirtualTable
					label={props.label}
					columns={props.columns}
					rows={found}
					id={props.id}
					first={props.first}
					onOpen={props.onOpen}
				/>
			)}
		</>
	);
}
