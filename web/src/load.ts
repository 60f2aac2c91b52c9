/* For pages: something read from the API, kept while the page is shown, and read again on request. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get } from "./api";

export interface Loaded<T> {
	data: T | null;
	error: ApiError | null;
	busy: boolean;
	reload: () => void;
	refresh: () => void; /* the same, of the page's own accord */
}

export function useLoad<T>(path: string | null, everySeconds = 0): Loaded<T> {
	const [data, setData] = useState<T | null>(null);
	const [error, setError] = useState<ApiError | null>(null);
	const [busy, setBusy] = useState(path !== null);
	const abort = useRef<AbortController | null>(null);

	const read = useCallback((alone: boolean) => {
		if (path === null) return;
		const mine = new AbortController();
		abort.current?.abort();
		abort.current = mine;
		setBusy(true);
		get<T>(path, mine.signal, alone)
			.then(
				(answer) => {
					setData(answer);
					setError(null);
				},
				(failed) => {
					if (!mine.signal.aborted) setError(asError(failed));
				},
			)
			.finally(() => {
				if (abort.current === mine) setBusy(false);
			});
	}, [path]);
	const reload = useCallback(() => read(false), [read]);
	const refresh = useCallback(() => read(true), [read]);

	useEffect(() => {
		setData(null);
		reload();
		const again = () =>
			document.hidden || refresh(); /* nobody looks: the node need not work */
		const timer = everySeconds > 0 ? setInterval(again, everySeconds * 1000) : 0;
		return () => {
			clearInterval(timer);
			abort.current?.abort();
		};
	}, [reload, refresh, everySeconds]);

	return { data, error, busy, reload, refresh };
}

export function asError(thrown: unknown): ApiError {
	if (thrown instanceof ApiError) return thrown;
	return new ApiError(0, thrown instanceof Error ? thrown.message : String(thrown));
}
