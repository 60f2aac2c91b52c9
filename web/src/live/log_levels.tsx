/*
 * Support and network log configuration: the level of each module, changed for a time after which
 * it is as before.
 */
import { useEffect, useState } from "preact/hooks";
import { command, may } from "../api";
import { asError } from "../load";
import { say, sayError } from "../notices";
import { t } from "../texts";
import { Badge, Button, Failure, Loading, SelectField, Time } from "../ui";
import { LEVELS } from "./log_tail";

const TERMS = ["600", "3600", "14400", "0"] as const; /* seconds; 0: it stays */
type Term = (typeof TERMS)[number];
type Level = (typeof LEVELS)[number];

interface Row {
	module: string;
	level: string;
	until?: number | null;
}

interface Setting {
	name: string;
	value: Row[] | null;
}

/* The answer is a list of settings, of which one was asked for. */
function rowsOf(data: unknown): Row[] {
	const list = Array.isArray(data) ? data : [data];
	const setting = list.find((each): each is Setting => each?.name === "log.levels");
	return Array.isArray(setting?.value) ? setting.value : [];
}

export function LogLevels({ modules, help }: { modules: readonly string[]; help: string }) {
	const [rows, setRows] = useState<Row[] | null>(null);
	const [error, setError] = useState<Error | null>(null);
	const [term, setTerm] = useState<Term>("3600");

	const load = async () => {
		try {
			const reply = await command("config", "get", "log.levels");
			setRows(rowsOf(reply.data));
			setError(null);
		} catch (failed) {
			setError(asError(failed));
		}
	};
	useEffect(() => void load(), []);

	if (!rows) return error ? <Failure error={error} retry={() => void load()} /> : <Loading />;
	return (
		<>
			<p>{help}</p>
			{error && <Failure error={error} retry={() => void load()} />}
			<div class="term">
				<SelectField
					label={t("level.term")}
					value={term}
					choices={TERMS.map((value) => ({
						value,
						label: t(`level.term-${value}`),
					}))}
					onChange={setTerm}
				/>
			</div>
			<ul class="levels">
				{modules.map((module) => (
					<ModuleLevel
						key={module}
						module={module}
						row={rows.find((row) => row.module === module)}
						term={term}
						changed={() => void load()}
					/>
				))}
			</ul>
		</>
	);
}

function ModuleLevel({
	module,
	row,
	term,
	changed,
}: {
	module: string;
	row: Row | undefined;
	term: Term;
	changed: () => void;
}) {
	const now = LEVELS.find((level) => level === row?.level) ?? "info";
	const [picked, setPicked] = useState<Level | null>(null);
	const [busy, setBusy] = useState(false);
	const chosen = picked ?? now;

	const set = async () => {
		setBusy(true);
		try {
			const reply = await command("log", "level", module, chosen, `for=${term}`);
			say(
				"ok",
				t("level.set", { module, level: t(`level.${chosen}`) }),
				reply.text,
			);
			setPicked(null);
		} catch (error) {
			sayError(error);
		}
		setBusy(false);
		changed();
	};
	return (
		<li>
			<span class="mono">{module}</span>
			<span>
				<Badge state={now === "debug" ? "warning" : "ok"}>
					{t(`level.${now}`)}
				</Badge>
				{row?.until ? (
					<small>
						{" "}
						{t("level.until")}{" "}
						<Time ms={row.until * 1000} exact />
					</small>
				) : null}
			</span>
			{may("operate") && (
				<span class="in-line">
					<select
						aria-label={t("level.of", { module })}
						value={chosen}
						onChange={(event) =>
							setPicked(
								event.currentTarget.value as Level,
							)
						}
					>
						{LEVELS.map((level) => (
							<option
								value={level}
								selected={level === chosen}
							>
								{t(`level.${level}`)}
							</option>
						))}
					</select>
					<Button
						busy={busy}
						label={t("level.set-of", { module })}
						onClick={() => void set()}
					>
						{t("level.do")}
					</Button>
				</span>
			)}
		</li>
	);
}
