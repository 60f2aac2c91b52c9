/* The settings, for pages. */
import { type Loaded, useLoad } from "../load";
import { type Setting, settingsOf } from "./settings";

export interface Settings extends Omit<Loaded<unknown>, "data"> {
	list: Setting[] | null;
	find: (name: string) => Setting | undefined;
}

export function useSettings(): Settings {
	const loaded = useLoad<Setting[] | { settings: Setting[] }>("settings");
	const list = loaded.data ? settingsOf(loaded.data) : null;
	return {
		list,
		find: (name) => list?.find((setting) => setting.name === name),
		error: loaded.error,
		busy: loaded.busy,
		reload: loaded.reload,
		refresh: loaded.refresh,
	};
}
