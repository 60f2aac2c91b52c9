/* The frame of what one sees before one is logged in. */
import type { ComponentChildren } from "preact";
import { Preferences } from "../account";
import { t } from "../texts";

export function Outside({ title, children }: { title: string; children: ComponentChildren }) {
	return (
		<div class="outside">
			<main class="card">
				<p class="brand">
					<img src="/icon.svg" alt="" width="28" height="28" />
					{t("app.name")}
				</p>
				<h1>{title}</h1>
				{children}
			</main>
			<aside class="outside-preferences" aria-label={t("account.language")}>
				<Preferences />
			</aside>
		</div>
	);
}
