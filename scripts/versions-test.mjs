// Train, stop and resume a tiny run with the lowest and newest declared versions, and compare the bits.
//
//   npm run test:versions [-- --small] [--folder DIR]
//
// Each row of the table is a separate environment. The resumed run must have the history of an uninterrupted one.
// --small: this Node with the installed environment, once as it is and once with the lowest transformers and accelerate.
// --folder: keep the environments there for reuse (about 12 GB on Linux, where the default torch includes CUDA).
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";
import { prepare, root } from "./prepare.mjs";

const execute = promisify(execFile);
const packages = ["torch", "transformers", "accelerate", "safetensors", "numpy"];

/** The declared ranges: package → range, for example `>=5.4,<5.25`. */
const dependencies = /^dependencies = \[(.*?)^\]/ms.exec(readFileSync(join(root, "pyproject.toml"), "utf8"))[1];
const declared = new Map([...dependencies.matchAll(/"([a-z]+)([^"]*)"/g)].map(([, name, range]) => [name, range]));

/** `transformers==5.4` for the lowest version, the declared range for the newest. */
function requirement(name, which) {
  const range = declared.get(name);
  return which === "lowest" ? `${name}==${/>=([\d.]+)/.exec(range)[1]}` : `${name}${range}`;
}

/** The environments of the table. `libraries` are installed on top of an environment with torch. */
const allRows = [
  { node: "20", python: "3.11", torch: "lowest", libraries: "lowest" },
  { node: "22", python: "3.11", torch: "lowest", libraries: "newest", accelerate: "lowest" },
  { node: "24", python: "3.13", torch: "newest", libraries: "lowest" },
  { node: "26", python: "3.13", torch: "newest", libraries: "newest" },
];
const smallRows = [
  { node: null, python: null, torch: "installed", libraries: "installed" },
  { node: null, python: null, torch: "installed", libraries: "lowest" },
];

/** Those of a release: every Node with every Python and both ends of transformers. */
export const releaseRows = ["20", "22", "24", "26"].flatMap((node) =>
  [
    { python: "3.11", torch: "lowest" },
    { python: "3.13", torch: "newest" },
  ].flatMap((environment) => ["lowest", "newest"].map((libraries) => ({ node, ...environment, libraries }))),
);

class Skipped extends Error {}

/** Node of a major version, from the npm package that ships it; null is the Node that runs this. */
async function findNode(major, folder) {
  if (major === null) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const directory = join(folder, `node-${major}`);
  const path = join(directory, "node_modules", name, "bin", "node");
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true });
    try {
      await execute("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", directory, `${name}@${major}`]);
    } catch (error) {
      throw new Skipped(
        `no Node ${major}: ${
          String(error.stderr ?? error.message)
            .trim()
            .split("\n")[0]
        }`,
      );
    }
  }
  return path;
}

/** The first interpreter of this version that runs. */
async function findPython(version) {
  const versions = join(process.env.PYENV_ROOT ?? join(process.env.HOME ?? "", ".pyenv"), "versions");
  const managed = existsSync(versions) ? readdirSync(versions).filter((name) => name.startsWith(`${version}.`)) : [];
  const candidates = [`python${version}`, `/usr/bin/python${version}`, ...managed.map((name) => join(versions, name, "bin", "python3"))];
  for (const path of candidates) {
    const found = await execute(path, ["-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"]).catch(() => null);
    if (found?.stdout.trim() === version) return path;
  }
  throw new Skipped(`no Python ${version}`);
}

async function pip(python, args) {
  await execute(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...args], { maxBuffer: 1 << 26 });
}

/** The interpreter of a row's torch. */
async function pythonWithTorch({ python, torch }, folder) {
  if (torch === "installed") return join(root, ".venv", "bin", "python");
  const directory = join(folder, `python-${python}-torch-${torch}`);
  const path = join(directory, "bin", "python");
  if (!existsSync(join(directory, "complete"))) {
    await execute(await findPython(python), ["-m", "venv", directory]);
    await pip(path, [requirement("torch", torch), requirement("numpy", torch)]);
    mkdirSync(join(directory, "complete"));
  }
  return path;
}

/** A folder with the libraries of a row, which PYTHONPATH places before those of the environment; null if there are none. */
async function libraryFolder({ python, torch, libraries, accelerate = libraries }, interpreter, folder) {
  if (libraries === "installed") return null;
  const directory = join(folder, `libraries-${python ?? "installed"}-${torch}-${libraries}-${accelerate}`);
  if (!existsSync(join(directory, "complete"))) {
    const numpy = torch === "installed" ? [] : [requirement("numpy", torch)];
    const others = ["transformers", "safetensors"].map((name) => requirement(name, libraries));
    await pip(interpreter, ["--target", directory, ...others, ...numpy, "psutil"]);
    // accelerate asks for torch, which is there.
    await pip(interpreter, ["--target", directory, "--no-deps", requirement("accelerate", accelerate)]);
    mkdirSync(join(directory, "complete"));
  }
  return directory;
}

const steps = 60;
const settings = [
  "model.n_embd=16 model.n_layer=1 model.n_head=2 model.n_positions=32 model.resid_pdrop=0.1",
  "training.per_device_train_batch_size=4 training.logging_steps=7 checkpoint.every=20",
]
  .join(" ")
  .split(" ")
  .flatMap((setting) => ["--set", setting]);

/** Runs the program with the Node and Python of a row; stops it after `stopAfter` steps if given. */
async function program({ node, cli, env }, args, stopAt) {
  const child = spawn(node, [cli, ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => {
    said = (said + data).slice(-3000);
  });
  const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  if (stopAt !== undefined) {
    while (child.exitCode === null && stepsOf(stopAt.out) < stopAt.steps) await after(10);
    child.kill("SIGINT");
  }
  return { code: await ended, said };
}

const runIn = (out) => (existsSync(out) ? readdirSync(out).filter((name) => !name.startsWith(".")) : []).map((name) => join(out, name))[0];

function stepsOf(out) {
  const log = join(runIn(out) ?? out, "events.jsonl");
  return existsSync(log) ? [...readFileSync(log, "utf8").matchAll(/"type": ?"step_end"/g)].length : 0;
}

const historyOf = (out) => ["history.safetensors", "history.idx"].map((name) => readFileSync(join(runIn(out), name)));

async function versionsOf({ python, env }) {
  const code = `import sys, json; from importlib.metadata import version; print(json.dumps([sys.version.split()[0], *map(version, sys.argv[1:])]))`;
  const { stdout } = await execute(python, ["-c", code, ...packages], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

/** Trains, stops and resumes; returns the problem, or null. */
async function problemOf(tools, work) {
  const train = (out) => ["train", "--python", tools.python, "--device", "cpu", "--threads", "1", "--steps", String(steps), ...settings, "--out", out];
  const [whole, stopped] = [join(work, "whole"), join(work, "stopped")];
  const first = await program(tools, train(whole));
  if (first.code !== 0) return `train ended with ${first.code}: ${lastLine(first.said)}`;
  await program(tools, train(stopped), { out: stopped, steps: 25 });
  const done = stepsOf(stopped);
  if (done < 25 || done >= steps) return `the training was stopped after ${done} of ${steps} steps`;
  const second = await program(tools, ["resume", runIn(stopped), "--python", tools.python]);
  if (second.code !== 0) return `resume ended with ${second.code}: ${lastLine(second.said)}`;
  const [states, resumed] = [historyOf(whole), historyOf(stopped)];
  if (!states.every((file, index) => file.equals(resumed[index]))) return "the resumed run has other bits than an uninterrupted one";
  return tools.installed === undefined ? null : await typedProblem(tools, runIn(whole), work);
}

/** Reads a run by the typed API of the installed package: the states of the command, and a training of its own. Returns the problem, or null. */
async function typedProblem({ node, python, installed, env }, whole, work) {
  const script = join(installed, "program.mjs");
  writeFileSync(script, typedProgram);
  const { stdout } = await execute(node, [script, python, whole, join(work, "typed")], { cwd: installed, env: { ...process.env, ...env } });
  return lastLine(stdout) === "equal" ? null : `the typed API: ${lastLine(stdout)}`;
}

const typedProgram = `import { compareHistories, openHistory, openRun, train } from "bh-bridge";
const [python, directory, out] = process.argv.slice(2);
const recorded = await openRun(directory);
let steps = 0;
const training = train({ ...recorded.config, python }, { out });
for await (const event of training) if (event.type === "step_end") steps++;
const run = await training;
const [a, b] = [await openHistory(directory + "/history.safetensors"), await openHistory(run.directory + "/history.safetensors")];
const { equalTo } = await compareHistories(a, b);
a.close();
b.close();
const wanted = recorded.config.training.max_steps;
console.log(equalTo === wanted && steps === wanted ? "equal" : "equal up to step " + equalTo + " of " + wanted + ", " + steps + " events");
`;

/** The line that names the error, where Node prints its version behind it; else the last line. */
function lastLine(text) {
  const lines = text.trim().split("\n");
  return lines.findLast((line) => /^(\w*Error|[A-Z_]+): /.test(line)) ?? lines.at(-1);
}

async function testRow(row, folder, work, installed) {
  const started = performance.now();
  const result = (outcome, versions) => ({ row, outcome, versions, seconds: (performance.now() - started) / 1000 });
  try {
    const python = await pythonWithTorch(row, folder);
    const libraries = await libraryFolder(row, python, folder);
    const path = [libraries, process.env.PYTHONPATH].filter(Boolean).join(delimiter);
    const cli = join(installed ? join(installed, "node_modules", "bh-bridge") : root, "dist", "cli.js");
    const tools = { node: await findNode(row.node, folder), cli, python, installed, env: path === "" ? {} : { PYTHONPATH: path } };
    const { stdout } = await execute(tools.node, ["--version"]);
    const versions = [stdout.trim().slice(1), ...(await versionsOf(tools))];
    return result((await problemOf(tools, work)) ?? "ok", versions);
  } catch (error) {
    const why = error instanceof Skipped ? `skipped: ${error.message}` : lastLine(String(error.stderr || error.message));
    return result(why, []);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function table(results) {
  const head = ["Node", "Python", ...packages, "train and resume"];
  const lines = results.map(({ row, versions, outcome, seconds }) => {
    const shown = versions.length > 0 ? versions : [row.node ?? "this", row.python ?? "this", ...packages.map(() => "-")];
    return [...shown, `${outcome} (${seconds.toFixed(0)} s)`];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column].length)));
  return [head, ...lines]
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * Tests the declared versions and prints the table; returns the numbers of passed, failed and skipped rows.
 * @param installed a folder in which the package is installed; by default this checkout is tested, and only its commands.
 */
export async function testVersions({ small = false, rows = small ? smallRows : allRows, folder, installed } = {}) {
  const work = mkdtempSync(join(tmpdir(), "bh-bridge-versions-"));
  const environments = folder ?? join(work, "environments");
  mkdirSync(environments, { recursive: true });
  const results = [];
  try {
    for (const [index, row] of rows.entries()) {
      const result = await testRow(row, environments, join(work, String(index)), installed);
      console.error(`Node ${row.node ?? "this"}, Python ${row.python ?? "installed"}, ${row.libraries} libraries: ${result.outcome}`);
      results.push(result);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`\n${table(results)}`);
  const passed = results.filter(({ outcome }) => outcome === "ok").length;
  const skipped = results.filter(({ outcome }) => outcome.startsWith("skipped")).length;
  return { passed, failed: results.length - passed - skipped, skipped };
}

if (existsSync(process.argv[1]) && pathToFileURL(process.argv[1]).href === import.meta.url) {
  const { values } = parseArgs({ options: { small: { type: "boolean", default: false }, folder: { type: "string" } } });
  await prepare();
  const { passed, failed, skipped } = await testVersions(values);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  if (failed > 0) process.exitCode = 1;
}
