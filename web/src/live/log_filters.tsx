/* By what the log is filtered. Folded on a phone, unless something is. */
import { useState } from "preact/hooks";
import { t } from "../texts";
import { Button, SelectField, TextField } from "../ui";
import { MODULES } from "./modules";
import { LEVELS, NO_FILTER, type Filter } from "./log_tail";

export function LogFilters({
	filter,
	onChange,
}: {
	filter: Filter;
	onChange: (change: Partial<Filter>) => void;
}) {
	const isFiltered = Object.values(filter).some((value) => value !== "");
	const [open] = useState(() => isFiltered || !matchMedia("(max-width: 640px)").matches);
	return (
		<details class="filters-fold" open={open}>
			<summary>{t("log.filters")}</summary>
			<FilterForm filter={filter} onChange={onChange} isFiltered={isFiltered} />
		</details>
	);
}

function FilterForm({
	filter,
	onChange,
	isFiltered,
}: {
	filter: Filter;
	onChange: (change: Partial<Filter>) => void;
	isFiltered: boolean;
}) {
	return (
		<form
			class="log-filters"
			role="search"
			aria-label={t("log.filters")}
			onSubmit={(event) => event.preventDefault()}
		>
			<TextField
				label={t("log.domain")}
				type="search"
				value={filter.domain}
				onInput={(domain) => onChange({ domain })}
			/>
			<TextField
				label={t("log.stream")}
				type="search"
				value={filter.stream}
				onInput={(stream) => onChange({ stream })}
			/>
			<SelectField
				label={t("log.module")}
				value={filter.module}
				choices={[
					{ value: "", label: t("log.all-modules") },
					...MODULES.map((name) => ({ value: name, label: name })),
				]}
				onChange={(module) => onChange({ module })}
			/>
			<SelectField
				label={t("log.level")}
				value={filter.level}
				choices={[
					{ value: "", label: t("log.all-levels") },
					...LEVELS.map((level) => ({
						value: level as string,
						label: t(`level.${level}`),
					})),
				]}
				onChange={(level) => onChange({ level })}
			/>
			<TextField
				label={t("log.text")}
				type="search"
				value={filter.text}
				onInput={(text) => onChange({ text })}
			/>
			{isFiltered && (
				<div class="filters-clear">
					<Button onClick={() => onChange(NO_FILTER)}>
						{t("log.clear")}
					</Button>
				</div>
			)}
		</form>
	);
}
