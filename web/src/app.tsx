/* The whole page: who is not logged in sees the login, all others the frame with a page in it. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { may, session } from "./api";
import { Frame } from "./frame";
import { type Page, findPage } from "./pages";
import { LoginPage } from "./pages/login";
import { WelcomePage } from "./pages/welcome";
import { matchPath, place } from "./router";
import { t } from "./texts";
import { Banner, Loading } from "./ui";

export function App() {
	const token = matchPath("/welcome/:token", place.value.path)?.token;
	if (token) return <WelcomePage token={token} />;
	if (session.value === undefined) return <Loading />;
	if (session.value === null) return <LoginPage />;
	return (
		<Frame>
			<Here key={place.value.path} />
		</Frame>
	);
}

/* The page of this place. A new place takes the focus to its heading, as a new document would. */
function Here() {
	const found = findPage(place.value.path);
	const node = session.value?.node.name ?? "";
	const title = found ? t(found.page.title) : t("app.not-found");
	const heading = useRef<HTMLHeadingElement>(null);

	useEffect(() => {
		document.title = t("app.title", { page: title, node });
	}, [title, node]);
	useLayoutEffect(() => {
		if (moved) heading.current?.focus();
		moved = true;
	}, []);
	return (
		<>
			<h1 ref={heading} tabIndex={-1}>
				{title}
			</h1>
			{found ? (
				<Guarded page={found.page} parameters={found.parameters} />
			) : (
				<Banner
					kind="info"
					title={t("app.not-found")}
					fix={t("app.not-found-fix")}
				/>
			)}
		</>
	);
}

let moved = false;

function Guarded({ page, parameters }: { page: Page; parameters: Record<string, string> }) {
	const role = session.value?.node.role;
	if (role && page.roles && !page.roles.includes(role))
		return (
			<Banner
				kind="info"
				title={t("app.wrong-role", { role: t(`role.${role}`) })}
			/>
		);
	if (!may(page.access)) {
		const needed = t(`access.${page.access}`);
		return (
			<Banner
				kind="info"
				title={t("app.forbidden")}
				fix={t("app.forbidden-fix", { role: needed })}
			/>
		);
	}
	const Component = page.component;
	return <Component parameters={parameters} />;
}
