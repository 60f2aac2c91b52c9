/*
 * Builds the page: checks types, bundles, and writes all of it as one C file for the binary.
 *
 *	node build.mjs FOLDER [DEPFILE]	the page in FOLDER, as files and as assets.c
 *	node build.mjs --types		checks types, the tests' too
 *	node build.mjs --test FOLDER	that, and runs the tests, which are bundled into FOLDER
 *
 * The same sources and the same node give the same bytes. What DEPFILE names makes it anew.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));

const assets = [
	{ path: "/", file: "index.html", type: "text/html; charset=utf-8" },
	{ path: "/app.js", file: "app.js", type: "text/javascript; charset=utf-8" },
	{ path: "/app.css", file: "app.css", type: "text/css; charset=utf-8" },
	{ path: "/icon.svg", file: "icon.svg", type: "image/svg+xml" },
];

function stop(why) {
	process.stderr.write(`web: ${why}\n`);
	process.exit(1);
}

function checkTypes(project) {
	const tsc = join(here, "node_modules/typescript/bin/tsc");
	const ran = spawnSync(process.execPath, [tsc, "-p", join(here, project)], {
		stdio: "inherit",
	});
	if (ran.status !== 0) stop(`types of ${project} do not fit`);
}

async function bundle(folder) {
	const { build } = await import("esbuild");
	await build({
		absWorkingDir: here,
		entryPoints: { app: "src/main.tsx" },
		outdir: resolve(folder),
		bundle: true,
		minify: true,
		format: "esm",
		target: "es2022",
		jsx: "automatic",
		jsxImportSource: "preact",
		legalComments: "none",
		logLevel: "warning",
	});
	for (const name of ["index.html", "icon.svg"])
		writeFileSync(join(folder, name), readFileSync(join(here, "src", name)));
}

async function test(folder) {
	const { build } = await import("esbuild");
	const names = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
	await build({
		absWorkingDir: here,
		entryPoints: names.map((name) => join("test", name)),
		outdir: resolve(folder),
		outExtension: { ".js": ".mjs" },
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node18",
		jsx: "automatic",
		jsxImportSource: "preact",
		logLevel: "warning",
	});
	const bundled = names.map((name) => join(resolve(folder), name.replace(/ts$/, "mjs")));
	const options = ["--test", "--test-reporter=tap", ...bundled];
	return spawnSync(process.execPath, options, { stdio: "inherit" }).status ?? 1;
}

function compressed(bytes) {
	const gzip = gzipSync(bytes, { level: 9 });
	gzip[9] = 255; // the operating system: unknown, so that it is the same everywhere
	return gzip;
}

function asC(folder) {
	const arrays = [];
	const rows = [];
	for (const [i, { path, file, type }] of assets.entries()) {
		const bytes = readFileSync(join(folder, file));
		const gzip = compressed(bytes);
		const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
		arrays.push(`static const unsigned char bytes${i}[] = {${[...gzip].join(",")}};\n`);
		rows.push(
			`\t{ "${path}", "${type}", "\\"${etag}\\"", bytes${i}, sizeof(bytes${i}) },\n`,
		);
	}
	return `#include "admin/assets.h"\n\n${arrays.join("")}
const struct asset assets[] = {\n${rows.join("")}};
const size_t assets_count = sizeof(assets) / sizeof(assets[0]);\n`;
}

/* Files and folders: a folder changes when a file is added to it. */
function sources(path) {
	const found = [path];
	for (const entry of readdirSync(path, { withFileTypes: true })) {
		const below = join(path, entry.name);
		found.push(...(entry.isDirectory() ? sources(below) : [below]));
	}
	return found.sort();
}

function dependencies(target) {
	const files = ["build.mjs", "package-lock.json", "tsconfig.json"].map((name) =>
		join(here, name),
	);
	const all = [...files, ...sources(join(here, "src"))];
	return `${target}: ${all.map((path) => path.replaceAll(" ", "\\ ")).join(" \\\n\t")}\n`;
}

if (!existsSync(join(here, "node_modules/esbuild")))
	stop("what it is built with is missing: run `npm ci` in web/ (`./dev build` does)");

const [folder, depfile] = process.argv.slice(2);
if (folder === "--types" || (folder === "--test" && depfile)) {
	checkTypes("tsconfig.json");
	checkTypes("test/tsconfig.json");
	if (folder === "--test") process.exit(await test(depfile));
} else if (folder) {
	mkdirSync(folder, { recursive: true });
	checkTypes("tsconfig.json");
	await bundle(folder);
	const out = join(folder, "assets.c");
	writeFileSync(out, asC(folder));
	if (depfile) writeFileSync(depfile, dependencies(relative(process.cwd(), out)));
} else {
	stop("usage: node build.mjs FOLDER [DEPFILE] | --types | --test FOLDER");
}
