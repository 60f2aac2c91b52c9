/* What the node tells by itself: one stream of events for the whole page while one is logged in. */
import { effect, signal } from "@preact/signals";
import { type Connection, listen, session } from "./api";
import type { Alarm, Status } from "./live/data";

export const status = signal<Status | null>(null);
export const alarms = signal<Alarm[] | null>(null);
export const connection = signal<Connection>("connecting");
/* When the last event came, by this browser's clock, in ms. */
export const heard = signal(0);

export function keepLive(): void {
	effect(() => {
		if (!session.value) return undefined;
		return listen(
			{},
			{
				status: (data) => {
					status.value = data as Status;
					heard.value = Date.now();
				},
				alarms: (data) => {
					alarms.value = data as Alarm[];
					heard.value = Date.now();
				},
			},
			(now) => {
				connection.value = now;
			},
		);
	});
}
