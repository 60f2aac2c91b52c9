/* Texts of the pages on which settings are made. */
export const en = {
	"page.unified": "Unified Communications",
	"page.login": "Log in",
	"page.welcome": "Set your password",
} as const;

export const de: Record<keyof typeof en, string> = {
	"page.unified": "Unified Communications",
	"page.login": "Anmelden",
	"page.welcome": "Passwort setzen",
};
