/* Form fields: each with a label, an optional help line and an error that says what to type. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { newId } from "./basics";

interface Around {
	label: ComponentChildren;
	help?: ComponentChildren;
	error?: string | null | undefined;
}

interface Ids {
	id: string;
	describedBy: string | undefined;
}

/* The frame of a field: gives its control the ids that tie it to label, help and error. */
export function Field({
	label,
	help,
	error,
	children,
}: Around & { children: (ids: Ids) => ComponentChildren }) {
	const id = useMemo(() => newId("field"), []);
	const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
	return (
		<div class={error ? "field wrong" : "field"}>
			<label for={id}>{label}</label>
			{children({ id, describedBy: described || undefined })}
			{help && (
				<p class="help" id={`${id}-help`}>
					{help}
				</p>
			)}
			{error && (
				<p class="error" id={`${id}-error`}>
					{error}
				</p>
			)}
		</div>
	);
}

export interface TextFieldProps extends Around {
	value: string;
	onInput: (value: string) => void;
	type?: "text" | "password" | "number" | "search" | "url";
	name?: string;
	autocomplete?: string;
	required?: boolean;
	disabled?: boolean;
	placeholder?: string;
	suffix?: string; /* a unit */
}

export function TextField({
	label,
	help,
	error,
	suffix,
	onInput,
	type = "text",
	...rest
}: TextFieldProps) {
	return (
		<Field label={label} help={help} error={error}>
			{({ id, describedBy }) => (
				<span class="control">
					<input
						id={id}
						type={type as "text"}
						inputMode={
							type === "number" ? "numeric" : undefined
						}
						spellcheck={false}
						autocapitalize="off"
						aria-describedby={describedBy}
						aria-invalid={error ? "true" : undefined}
						onInput={(event) =>
							onInput(event.currentTarget.value)
						}
						{...rest}
					/>
					{suffix && <span class="suffix">{suffix}</span>}
				</span>
			)}
		</Field>
	);
}

export function AreaField({
	label,
	help,
	error,
	value,
	onInput,
	rows = 6,
	disabled,
}: Around & {
	value: string;
	onInput: (value: string) => void;
	rows?: number;
	disabled?: boolean;
}) {
	return (
		<Field label={label} help={help} error={error}>
			{({ id, describedBy }) => (
				<textarea
					id={id}
					rows={rows}
					spellcheck={false}
					disabled={disabled}
					aria-describedby={describedBy}
					aria-invalid={error ? "true" : undefined}
					value={value}
					onInput={(event) => onInput(event.currentTarget.value)}
				/>
			)}
		</Field>
	);
}

export interface Choice<V extends string> {
	value: V;
	label: string;
	help?: string;
}

export function SelectField<V extends string>({
	label,
	help,
	error,
	value,
	choices,
	onChange,
	disabled,
}: Around & {
	value: V;
	choices: Choice<V>[];
	onChange: (value: V) => void;
	disabled?: boolean;
}) {
	return (
		<Field label={label} help={help} error={error}>
			{({ id, describedBy }) => (
				<select
					id={id}
					value={value}
					disabled={disabled}
					aria-describedby={describedBy}
					onChange={(event) =>
						onChange(event.currentTarget.value as V)
					}
				>
					{choices.map((choice) => (
						<option
							value={choice.value}
							selected={choice.value === value}
						>
							{choice.label}
						</option>
					))}
				</select>
			)}
		</Field>
	);
}

/* One of few, all to be seen at once. */
export function ChoiceField<V extends string>({
	label,
	help,
	value,
	choices,
	onChange,
	disabled,
}: Around & {
	value: V;
	choices: Choice<V>[];
	onChange: (value: V) => void;
	disabled?: boolean;
}) {
	const id = useMemo(() => newId("choice"), []);
	return (
		<fieldset class="field choices" aria-describedby={help ? `${id}-help` : undefined}>
			<legend>{label}</legend>
			<div class="choice-row">
				{choices.map((choice) => (
					<label
						class={
							choice.value === value
								? "choice chosen"
								: "choice"
						}
					>
						<input
							type="radio"
							name={id}
							value={choice.value}
							checked={choice.value === value}
							disabled={disabled}
							onChange={() => onChange(choice.value)}
						/>
						<span>
							{choice.label}
							{choice.help && (
								<small>{choice.help}</small>
							)}
						</span>
					</label>
				))}
			</div>
			{help && (
				<p class="help" id={`${id}-help`}>
					{help}
				</p>
			)}
		</fieldset>
	);
}

export function CheckField({
	label,
	help,
	checked,
	onChange,
	disabled,
}: Around & {
	checked: boolean;
	onChange: (checked: boolean) => void;
	disabled?: boolean;
}) {
	const id = useMemo(() => newId("check"), []);
	return (
		<div class="field check">
			<label>
				<input
					type="checkbox"
					checked={checked}
					disabled={disabled}
					aria-describedby={help ? `${id}-help` : undefined}
					onChange={(event) => onChange(event.currentTarget.checked)}
				/>
				<span>{label}</span>
			</label>
			{help && (
				<p class="help" id={`${id}-help`}>
					{help}
				</p>
			)}
		</div>
	);
}
