/*
 * The browser's part of the scenario: Debian's Chromium, driven by Playwright, is an operator at the
 * pages of three nodes. Reads {"urls":{"edge","core","home"},"links":{...},"pictures":FOLDER,...} from
 * the file that is named; says "step: WORDS" when it begins something, "ask: WORD" when the world
 * outside must do something, and goes on when it is given a line.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const wanted = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(join(wanted.web, "package.json"));
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const PASSWORD = "a password of the tests";
const WAIT_MS = 20_000;
const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const wrong = []; /* what the browser's console said, and what axe found */

function step(words) {
	process.stdout.write(`step: ${words}\n`);
}

/* The scenario does that, and says when it is done. */
async function ask(word) {
	process.stdout.write(`ask: ${word}\n`);
	const { value } = await answers.next();
	return value;
}

function watch(page, node) {
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type()) && !page.expects?.test(message.text()))
			wrong.push(`${node}: console: ${message.text()} (${page.url()})`);
	});
	page.on("pageerror", (error) => wrong.push(`${node}: ${error.stack ?? error} (${page.url()})`));
}

async function picture(page, name) {
	if (!wanted.pictures) return;
	await page.evaluate(() => window.scrollTo(0, 0));
	await page.screenshot({ path: join(wanted.pictures, `${name}.png`) });
}

/* What axe-core finds on the page as it is. */
async function judge(page, what) {
	if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(axe, "utf8"));
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	for (const violation of found.violations)
		for (const node of violation.nodes)
			wrong.push(`${what}: ${violation.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`);
}

async function go(page, path) {
	await page.goto(`${new URL(page.url()).origin}/#${path}`);
	await page.locator("main h1, main h2").first().waitFor({ timeout: WAIT_MS });
}

function section(page, title) {
	return page.locator("section").filter({ has: page.getByRole("heading", { name: title }) });
}

async function see(locator) {
	await locator.first().waitFor({ timeout: WAIT_MS });
}

async function gone(locator) {
	await locator.first().waitFor({ state: "detached", timeout: WAIT_MS });
}

/* By the one-time link that the node's command printed. */
async function enter(page, node) {
	await page.goto(wanted.links[node]);
	const fields = page.locator("input[type=password]");
	await fields.first().waitFor({ timeout: WAIT_MS });
	await judge(page, `${node}: welcome`);
	await fields.nth(0).fill(PASSWORD);
	await fields.nth(1).fill(PASSWORD);
	await page.getByRole("button", { name: "Set password" }).or(page.locator("button[type=submit]")).first().click();
	await see(page.getByRole("heading", { name: "Map" }).or(page.locator(".area-map")));
}

async function switchOn(edge) {
	step("edge: federation is switched on, after a look at what changes");
	await go(edge, "/config/unified");
	const support = edge.getByRole("group", { name: "XMPP federation support" });
	await support.getByRole("radio", { name: "On" }).check();
	await edge.getByRole("button", { name: /Review and save/ }).click();
	const dialog = edge.getByRole("dialog");
	await see(dialog.getByText("federation.enabled"));
	await judge(edge, "edge: review");
	await picture(edge, "edge-review");
	await dialog.getByRole("button", { name: "Save" }).click();
	await see(edge.getByRole("status").getByText("Saved"));
	await see(section(edge, "Unified Communications service status").getByText("active", { exact: true }));
	await picture(edge, "edge-unified");
}

async function restartRouter(home) {
	step("home: the notification asks for a restart of the router, which is done there");
	await go(home, "/config/im-presence");
	const here = home.getByRole("button", { name: "restart this service here" });
	await see(here);
	await judge(home, "home: IM and Presence");
	await picture(home, "home-notification");
	await here.first().click();
	await home.getByRole("dialog").getByRole("button", { name: "Restart the router service" }).click();
	await see(home.getByText("No notification"));
}

async function mapTurnsLive(edge) {
	step("edge: the map is live, and all is well");
	await go(edge, "/");
	await see(edge.locator("header .verdict").getByText("All is well"));
	await gone(edge.locator(".map-place.broken"));
	await ask("messages");
	await see(edge.locator(".map-hop .rate"));
	await judge(edge, "edge: overview");
	await picture(edge, "edge-overview");
}

async function changePassword(core, password) {
	await core.getByRole("button", { name: `AXL password of ${wanted.names.home}` }).click();
	const dialog = core.getByRole("dialog");
	await dialog.getByLabel("Password").fill(password);
	await dialog.getByRole("button", { name: "Change password" }).click();
	await gone(dialog);
}

async function breakAxl(core) {
	step("core: another AXL password; it is named, and mended");
	await go(core, "/config/home-servers");
	await changePassword(core, "not-the-password");
	await core.getByRole("button", { name: "Refresh servers" }).click();
	await see(core.getByText(/failed: login/));
	await judge(core, "core: home servers");
	await picture(core, "core-axl-failed");
	await go(core, "/alarms");
	await see(core.getByText("25023"));
	await picture(core, "core-alarms");
	await go(core, "/doctor");
	await core.getByRole("button", { name: /^(Run|Look|Examine)/ }).first().click();
	await see(core.locator("article.alarm").getByText("password at a home server is wrong"));
	await picture(core, "core-doctor");
	await judge(core, "core: doctor");
	await go(core, "/config/home-servers");
	await changePassword(core, wanted.axlPassword);
	await core.getByRole("button", { name: "Refresh servers" }).click();
	await see(core.getByText("in order"));
	await go(core, "/alarms");
	await gone(core.getByText("25023"));
}

async function readWhy(edge) {
	step("edge: why a domain fails, on a wide screen and on a phone");
	await ask("failing");
	await go(edge, `/why/${wanted.failing}`);
	await see(edge.getByText(/refuses connections|nothing listens/i));
	await judge(edge, "edge: why");
	await picture(edge, "edge-why");
	await edge.setViewportSize(SIZES.phone);
	await picture(edge, "edge-why-phone");
	const wide = await edge.evaluate(() => document.documentElement.scrollWidth);
	if (wide > SIZES.phone.width) wrong.push(`edge: why is ${wide} pixels wide on a phone`);
	await edge.setViewportSize(SIZES.wide);
}

/* A page that nobody sits before must not keep its session. */
async function asksByItself(edge) {
	step("edge: what a page asks by itself is marked so");
	await go(edge, "/charts");
	await edge.waitForTimeout(1000);
	const own = await edge.waitForRequest((request) => request.url().includes("/api/v1/series"),
		{ timeout: WAIT_MS });
	if (own.headers()["x-sallyport-background"] !== "1")
		wrong.push("edge: what the charts ask by themselves is taken for a person");
}

/* Every page of a node: light, dark where that is asked for, and at 360 px. */
async function lookAtAll(page, node, schemes) {
	step(`${node}: every page, ${schemes.join(" and ")}, wide and narrow`);
	const paths = await page.locator("nav#menu a").evaluateAll((links) =>
		links.map((link) => new URL(link.href).hash.slice(1)));
	for (const path of paths) {
		await go(page, path);
		for (const scheme of schemes) {
			await page.emulateMedia({ colorScheme: scheme });
			await judge(page, `${node}: ${path}, ${scheme}`);
		}
		await page.emulateMedia({ colorScheme: "light" });
		await page.setViewportSize(SIZES.phone);
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		if (wide > SIZES.phone.width) wrong.push(`${node}: ${path} is ${wide} pixels wide on a phone`);
		await page.setViewportSize(SIZES.wide);
	}
}

/* Log out, log in, and reach a page, with the keyboard alone. */
async function byKeyboard(page, node) {
	step(`${node}: with the keyboard alone`);
	await go(page, "/");
	await tabTo(page, /^Account:/);
	await page.keyboard.press("Enter");
	await tabTo(page, "Log out");
	await page.keyboard.press("Enter");
	await see(page.getByLabel("Password"));
	await page.evaluate(() => document.activeElement?.blur());
	await tabTo(page, "Name");
	await page.keyboard.type("admin");
	await page.keyboard.press("Tab");
	await page.keyboard.type(PASSWORD);
	await page.keyboard.press("Enter");
	await see(page.locator("nav#menu"));
	await tabTo(page, "Event log");
	await page.keyboard.press("Enter");
	await see(page.getByRole("heading", { name: "Event log" }));
	const inside = await page.evaluate(() => !!document.activeElement?.closest("main"));
	if (!inside) wrong.push(`${node}: focus does not follow to the page that was opened`);
}

async function tabTo(page, name) {
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press("Tab");
		const at = await page.evaluate(() => {
			const element = document.activeElement;
			const label = element?.labels?.[0]?.textContent;
			return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
		});
		if (typeof name === "string" ? at === name || at.startsWith(name) : name.test(at)) return;
	}
	throw new Error(`no way to "${name}" by the Tab key`);
}

/* Of pages that nothing was done on: for the documentation. */
async function takePictures(pages) {
	if (!wanted.pictures) return;
	step("pictures of the other pages");
	const { edge, core } = pages;
	for (const [page, path, name] of [
		[edge, "/streams", "edge-streams"],
		[edge, "/charts", "edge-charts"],
		[edge, "/config/history", "edge-history"],
		[core, "/", "core-overview"],
		[core, "/diagnostics", "core-diagnostics"],
	]) {
		await go(page, path);
		await page.waitForTimeout(1000); /* what is live comes in */
		await picture(page, name);
	}
	await edge.emulateMedia({ colorScheme: "dark" });
	await go(edge, "/log");
	await edge.waitForTimeout(1000);
	await picture(edge, "edge-log-dark");
	await edge.emulateMedia({ colorScheme: "light" });
}

async function inGerman(page) {
	step("edge: in German");
	await page.getByRole("button", { name: /^Account/ }).click();
	await page.getByLabel("Language").selectOption("de");
	await see(page.locator("nav#menu").getByText("Zustand"));
	await picture(page, "edge-german");
	const language = await page.evaluate(() => document.documentElement.lang);
	if (language !== "de") wrong.push(`edge: lang is ${language} in German`);
	await page.getByLabel("Sprache").selectOption("en");
}

async function main() {
	const data = mkdtempSync(join(tmpdir(), "chromium-"));
	const browser = await chromium.launchPersistentContext(data, {
		executablePath: "/usr/bin/chromium",
		headless: true,
		ignoreHTTPSErrors: true, /* self-made: a person compares the fingerprint */
		viewport: SIZES.wide,
		locale: "en-GB",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync"],
	});
	browser.setDefaultTimeout(WAIT_MS);
	const pages = {};
	try {
		for (const node of ["edge", "core", "home"]) {
			step(`${node}: the one-time link sets the first password`);
			pages[node] = await browser.newPage();
			watch(pages[node], node);
			await enter(pages[node], node);
		}
		await picture(pages.edge, "edge-before");
		await switchOn(pages.edge);
		await restartRouter(pages.home);
		await mapTurnsLive(pages.edge);
		await breakAxl(pages.core);
		await readWhy(pages.edge);
		await inGerman(pages.edge);
		await asksByItself(pages.edge);
		await takePictures(pages);
		for (const node of Object.keys(pages))
			await lookAtAll(pages[node], node, node === "edge" || wanted.full ? ["light", "dark"] : ["light"]);
		await byKeyboard(pages.edge, "edge");
	} catch (error) {
		for (const node of Object.keys(pages)) await picture(pages[node], `failed-${node}`);
		throw error;
	} finally {
		await browser.close();
		rmSync(data, { recursive: true, force: true });
	}
	if (wrong.length) {
		process.stdout.write(`wrong: ${wrong.join("\nwrong: ")}\n`);
		process.exitCode = 1;
	}
	process.exit();
}

main().catch((error) => {
	process.stdout.write(`wrong: ${wrong.join("\nwrong: ")}\nfailed: ${error.stack}\n`);
	process.exit(1);
});
