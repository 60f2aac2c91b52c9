/* Where the page is: the part of the address behind #, as a path and its query. */
import { signal } from "@preact/signals";

export interface Place {
	path: string;
	query: URLSearchParams;
}

export function parsePlace(hash: string): Place {
	const text = hash.replace(/^#/, "") || "/";
	const cut = text.indexOf("?");
	const path = cut < 0 ? text : text.slice(0, cut);
	return {
		path: path.startsWith("/") ? path : "/" + path,
		query: new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1)),
	};
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/* The parameters if the path is of this pattern ("/why/:domain"), else null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
	const wanted = pattern.split("/");
	const given = path.replace(/(.)\/$/, "$1").split("/");
	if (wanted.length !== given.length) return null;
	const parameters: Record<string, string> = {};
	for (const [i, part] of wanted.entries()) {
		const value = given[i] ?? "";
		if (part.startsWith(":") && value !== "")
			parameters[part.slice(1)] = decoded(value);
		else if (part !== value) return null;
	}
	return parameters;
}

/* For links: href("/why/:domain", { domain }), href("/log", {}, { domain }). */
export function href(
	pattern: string,
	parameters: Record<string, string> = {},
	query: Record<string, string> = {},
): string {
	const path = pattern.replace(/:(\w+)/g, (_, name) =>
		encodeURIComponent(parameters[name] ?? ""),
	);
	const text = new URLSearchParams(query).toString();
	return "#" + path + (text ? "?" + text : "");
}

const browser = typeof location !== "undefined";

export const place = signal<Place>(parsePlace(browser ? location.hash : ""));

export function navigate(to: string): void {
	location.hash = to.replace(/^#/, "");
}

/* The query of this page, without a new entry in the browser's history. */
export function setQuery(query: Record<string, string>): void {
	const filled = Object.fromEntries(
		Object.entries(query).filter(([, value]) => value !== ""),
	);
	history.replaceState(null, "", href(place.value.path, {}, filled));
	place.value = parsePlace(location.hash);
}

if (browser)
	addEventListener("hashchange", () => {
		place.value = parsePlace(location.hash);
	});
