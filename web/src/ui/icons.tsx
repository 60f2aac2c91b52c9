/* Small drawings that stand beside words, never instead of them. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
	return (
		<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
			{children}
		</svg>
	);
}

export const Menu = () => (
	<Icon>
		<path d="M2 4h12M2 8h12M2 12h12" />
	</Icon>
);
export const Cross = () => (
	<Icon>
		<path d="m4 4 8 8m0-8-8 8" />
	</Icon>
);
export const Down = () => (
	<Icon>
		<path d="m4 6 4 4 4-4" />
	</Icon>
);
export const Ascending = () => (
	<Icon>
		<path d="m5 9 3-4 3 4" />
	</Icon>
);
export const Descending = () => (
	<Icon>
		<path d="m5 7 3 4 3-4" />
	</Icon>
);
export const Person = () => (
	<Icon>
		<circle cx="8" cy="5.5" r="2.5" />
		<path d="M3 14c0-6 10-6 10 0" />
	</Icon>
);

/* One shape for each state, so that colour is never alone. */
export const StateOk = () => (
	<svg class="icon state" viewBox="0 0 16 16" aria-hidden="true">
		<circle cx="8" cy="8" r="6" class="body" />
		<path d="m5.2 8.2 2 2 3.6-4" class="mark" />
	</svg>
);
export const StateWarning = () => (
	<svg class="icon state" viewBox="0 0 16 16" aria-hidden="true">
		<path d="M8 1.8 15 14H1Z" class="body" />
		<path d="M8 6v4m0 1.6v.6" class="mark" />
	</svg>
);
export const StateBad = () => (
	<svg class="icon state" viewBox="0 0 16 16" aria-hidden="true">
		<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2Z" class="body" />
		<path d="m5.5 5.5 5 5m0-5-5 5" class="mark" />
	</svg>
);
export const StateOff = () => (
	<svg class="icon state" viewBox="0 0 16 16" aria-hidden="true">
		<circle cx="8" cy="8" r="5.5" class="ring" />
	</svg>
);
export const StateBusy = () => (
	<svg class="icon state" viewBox="0 0 16 16" aria-hidden="true">
		<circle cx="8" cy="8" r="5.5" class="ring" />
		<path d="M8 4.5V8l2.5 1.5" class="ring" />
	</svg>
);
