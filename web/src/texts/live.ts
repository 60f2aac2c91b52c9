/* Texts of the live pages. */
export const en = {
	"page.overview": "Overview",
	"page.streams": "Streams",
	"page.domains": "Domains of the world",
	"page.log": "Event log",
	"page.alarms": "Alarms",
	"page.charts": "Charts",
	"page.why": "Why",
	"page.doctor": "Doctor",
	"page.diagnostics": "Diagnostics",
} as const;

export const de: Record<keyof typeof en, string> = {
	"page.overview": "Überblick",
	"page.streams": "Streams",
	"page.domains": "Domains der Welt",
	"page.log": "Ereignisse",
	"page.alarms": "Alarme",
	"page.charts": "Verläufe",
	"page.why": "Warum",
	"page.doctor": "Doktor",
	"page.diagnostics": "Diagnose",
};
