// Trains the full runs and writes docs/results.md from their files. They take hours, so CI does not run them.
//
//   npm run results -- --corpus FILE [--into full-runs] [--page docs/results.md] [--only NAME] [--steps N] [--seeds A..B]
//   npm run results -- --corpus FILE --write
//
// Run the same command again to continue: complete experiments and runs are not trained twice. --write only writes the page. --steps and
// --seeds set the steps of every run and the seeds of every experiment, to try the script.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { root } from "./prepare.mjs";
import { resultsPage } from "./results-page.mjs";

const { values } = parseArgs({
  options: {
    corpus: { type: "string" },
    into: { type: "string", default: "full-runs" },
    page: { type: "string", default: join("docs", "results.md") },
    only: { type: "string" },
    steps: { type: "string" },
    seeds: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
if (!values.corpus || !existsSync(values.corpus)) fail(`--corpus: ${values.corpus ? `there is no file ${values.corpus}` : "name the text to train on"}`);

/** The runs, in order; those of one group are trained in parallel, one per core. */
const groups = [
  [{ kind: "experiment", name: "rmsnorm-vs-layernorm", options: ["--until-decided", "--set", "engine=portable"] }],
  ["jiggle-11.2b", "snowball-11.2c", "f32-init-13.4a"].map((name) => ({ kind: "run", name, options: ["--threads", "1"] })),
  [{ kind: "experiment", name: "f32-vs-bf16-init", options: ["--seeds", "42..51"] }],
  [{ kind: "experiment", name: "rmsnorm-vs-layernorm-clean", options: ["--seeds", "42..44"], steps: "3000" }],
  [{ kind: "portable", name: "portable", presets: ["rmsnorm-11.2a", "layernorm-control", "jiggle-11.2b", "snowball-11.2c", "f32-init-13.4a"] }],
];
const pieces = groups.flat();
if (values.only && !pieces.some(({ name }) => name === values.only)) fail(`--only: there is ${pieces.map(({ name }) => name).join(", ")}`);

const folders = { experiment: join(values.into, "experiments"), run: join(values.into, "runs"), portable: join(values.into, "portable") };
const cli = join(root, "dist", "cli.js");

function fail(message) {
  console.error(message);
  process.exit(2);
}

/** Runs a command of the program and returns its document; its messages go to stderr. */
async function bhBridge(...args) {
  const running = promisify(execFile)(process.execPath, [cli, ...args, "--json"], { maxBuffer: 1 << 28 });
  running.child.stderr.pipe(process.stderr);
  return JSON.parse((await running).stdout);
}

/** The command that trains a piece, without its output folder. */
function commandOf({ kind, name, options, steps = values.steps }) {
  if (kind === "portable") return ["train", "--preset", name === kind ? "PRESET" : name, "--engine", kind, ...(steps === undefined ? [] : ["--steps", steps])];
  const words = kind === "experiment" ? ["experiment", name] : ["train", "--preset", name];
  const seeds = kind === "experiment" && values.seeds !== undefined ? ["--seeds", values.seeds] : [];
  return [...words, ...options, ...seeds, ...(steps === undefined ? [] : ["--steps", values.steps ?? steps])];
}

/** The unfinished run of a preset in a folder, if there is one. */
async function unfinishedRun(folder, preset) {
  if (!existsSync(folder)) return undefined;
  const { runs } = await bhBridge("runs", "--out", folder);
  return runs.find((run) => run.preset === preset && ["interrupted", "stopped", "failed"].includes(run.status) && run.steps?.done > 0)?.run;
}

async function train(piece) {
  if (piece.kind === "portable") return inParallel(piece.presets, availableParallelism(), (preset) => trainOne({ ...piece, name: preset }));
  return trainOne(piece);
}

async function trainOne(piece) {
  const unfinished = piece.kind === "experiment" ? undefined : await unfinishedRun(folders[piece.kind], piece.name);
  if (unfinished !== undefined) await bhBridge("resume", unfinished);
  else await bhBridge(...commandOf(piece), "--corpus", values.corpus, "--out", folders[piece.kind], ...(piece.kind === "experiment" ? [] : ["--if-new"]));
}

/** Calls `act` for every item, at most `limit` at a time. */
async function inParallel(things, limit, act) {
  const left = [...things];
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await act(next);
  };
  await Promise.all(Array.from({ length: limit }, one));
}

async function writePage() {
  const told = pieces.map((piece) => ({ ...piece, folder: folders[piece.kind], command: `npx bh-bridge ${commandOf(piece).join(" ")} --corpus FILE` }));
  writeFileSync(values.page, await resultsPage(told, existsSync(values.page) ? readFileSync(values.page, "utf8") : ""));
  console.error(`Written: ${values.page}`);
}

mkdirSync(values.into, { recursive: true });
for (const group of values.write ? [] : groups) {
  const wanted = group.filter(({ name }) => values.only === undefined || values.only === name);
  await inParallel(wanted, availableParallelism(), async (piece) => {
    console.error(`${piece.name}: ${commandOf(piece).join(" ")}`);
    await train(piece);
    await writePage();
  });
}
await writePage();
