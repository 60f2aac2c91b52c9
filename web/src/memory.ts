/* What this browser keeps for the page. One that keeps nothing is fine. */

export function remembered(name: string): string {
	try {
		return localStorage.getItem(name) ?? "";
	} catch {
		return "";
	}
}

export function remember(name: string, value: string): void {
	try {
		localStorage.setItem(name, value);
	} catch {
		/* then it is so until the page is closed */
	}
}
