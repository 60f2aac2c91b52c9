/* Tabs, as the ARIA practices have them: arrows move, Tab leads into the panel. */
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { newId } from "./basics";

export interface Tab<V extends string> {
	value: V;
	label: string;
}

export function Tabs<V extends string>({
	label,
	tabs,
	value,
	onChange,
	children,
}: {
	label: string;
	tabs: Tab<V>[];
	value: V;
	onChange: (value: V) => void;
	children: ComponentChildren;
}) {
	const id = useMemo(() => newId("tabs"), []);
	const list = useRef<HTMLDivElement>(null);

	const move = (event: KeyboardEvent) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!step) return;
		event.preventDefault();
		const at = tabs.findIndex((tab) => tab.value === value);
		const next = (at + step + tabs.length) % tabs.length;
		const tab = tabs[next];
		if (tab) onChange(tab.value);
		list.current?.querySelectorAll("button")[next]?.focus();
	};
	return (
		<div class="tabs">
			<div role="tablist" aria-label={label} ref={list} onKeyDown={move}>
				{tabs.map((tab) => (
					<button
						type="button"
						role="tab"
						id={`${id}-${tab.value}`}
						aria-selected={
							tab.value === value ? "true" : "false"
						}
						aria-controls={`${id}-panel`}
						tabIndex={tab.value === value ? 0 : -1}
						onClick={() => onChange(tab.value)}
					>
						{tab.label}
					</button>
				))}
			</div>
			<div
				role="tabpanel"
				id={`${id}-panel`}
				aria-labelledby={`${id}-${value}`}
				tabIndex={0}
			>
				{children}
			</div>
		</div>
	);
}
