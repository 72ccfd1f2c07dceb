// Kill an experiment with SIGKILL at random instants (its controller, a worker, a worker's Python, or all at once), run the same command again, and compare
// with an uninterrupted experiment.
//
//   npm run test:crash:sweep -- --kills 20 --seed 1 [--workers 2] [--small] [--keep]
//
// It compares every run as test:crash does, and the document with its verdict. No trial may have two runs, or be trained again after it has completed.
// --small uses a tiny model, which spends most of its time starting processes.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "./prepare.mjs";
import { randomFrom } from "./random.mjs";
import { runDifferences } from "./run-differences.mjs";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    workers: { type: "string", default: "2" },
    small: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
await prepare();
const kills = Number(values.kills);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "bh-bridge-sweep-crash-"));
const small = ["n_embd=8", "n_layer=1", "n_positions=16"].flatMap((setting) => ["--set", `model.${setting}`]);
const command = [
  ...["experiment", "rmsnorm-vs-layernorm", "--seeds", "42..43", "--steps", values.small ? "200" : "40", "--device", "cpu", "--workers", values.workers],
  ...["--set", `checkpoint.every=${values.small ? 25 : 10}`, ...(values.small ? small : [])],
];

/** Starts the experiment in a folder; returns its process and a promise of its end. */
function start(out) {
  const child = spawn(process.execPath, [cli, ...command, "--out", out, "--json"], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => {
    said = (said + data).slice(-2000);
  });
  return { child, ended: new Promise((resolve) => child.once("exit", (code) => resolve({ code, said }))) };
}

/** Processes by parent. */
function children() {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" }).trim().split("\n");
  const living = table.map((line) => line.trim().split(/\s+/)).filter(([, , state]) => !state.startsWith("Z"));
  return (parent) => living.flatMap(([pid, ppid]) => (Number(ppid) === parent ? [Number(pid)] : []));
}

/** The processes that a kill hits, if they are running. */
const victims = {
  controller: (controller) => [controller],
  worker: (controller, of, random) =>
    of(controller)
      .filter((_, index, all) => index === Math.floor(random() * all.length))
      .slice(0, 1),
  python: (controller, of, random) => {
    const all = of(controller).flatMap(of);
    return all.slice(Math.floor(random() * all.length)).slice(0, 1);
  },
  everything: (controller, of) => [controller, ...of(controller), ...of(controller).flatMap(of)],
};

/** Kills at an instant; returns whether a process was hit. */
async function kill({ child, ended }, whom, random, atMs) {
  const isOver = await Promise.race([ended.then(() => true), after(atMs, false)]);
  if (isOver) return false;
  const found = victims[whom](child.pid, children(), random);
  const killed = found.filter((pid) => {
    try {
      return process.kill(pid, "SIGKILL");
    } catch {
      return false; // it has just ended by itself
    }
  });
  return killed.length > 0;
}

const directoryIn = (out) => join(out, readdirSync(out)[0]);
const ledgerOf = (directory) =>
  readFileSync(join(directory, "ledger.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The run of each trial. */
function runsOf(directory) {
  return new Map(ledgerOf(directory).flatMap(({ trial, run }) => (run === null ? [] : [[trial, join(directory, run)]])));
}

/** The document of an experiment, with paths replaced by trials. */
function documentOf(directory) {
  const text = readFileSync(join(directory, "result.json"), "utf8");
  const named = [...runsOf(directory)].reduce((each, [trial, run]) => each.replaceAll(run, trial), text);
  return named.replaceAll(directory, "directory");
}

/** Differences from the uninterrupted experiment. */
function problemsOf(directory, whole) {
  const [runs, expected] = [runsOf(directory), runsOf(whole)];
  const unequal = [...expected].flatMap(([trial, run]) => runDifferences(runs.get(trial), run).map((file) => `${trial}: ${file} differs`));
  const lines = ledgerOf(directory);
  const again = lines.filter(({ trial }, index) => lines.slice(0, index).some((line) => line.trial === trial && line.status === "completed"));
  const directories = readdirSync(join(directory, "runs"));
  const owned = new Set([...runs.values()].map((run) => basename(run)));
  return [
    ...unequal,
    ...again.map(({ trial, status }) => `${trial}: ${status} after it was completed`),
    ...directories.filter((name) => !owned.has(name)).map((name) => `${name} is a second run of a trial`),
    ...(documentOf(directory) === documentOf(whole) ? [] : ["result.json differs"]),
  ];
}

async function reference() {
  const out = join(work, "whole");
  const began = performance.now();
  const { code, said } = await start(out).ended;
  if (code !== 0) throw new Error(`the experiment that nobody touched failed:\n${said}`);
  return { whole: directoryIn(out), milliseconds: performance.now() - began };
}

/** A trial fails after three deaths of its process, so no controller may lose more workers than this. */
const maxWorkerKills = 2;

/** Kills an experiment up to four times until it completes. Returns the kills and the differences. */
async function killed(number, left, whole, milliseconds) {
  const random = randomFrom(Number(values.seed) * 1_000_003 + number);
  const out = join(work, `killed-${number}`);
  const told = [];
  for (;;) {
    const process_ = start(out);
    let workerKills = 0;
    while (told.length < Math.min(4, left) && (told.length === 0 || random() < 0.6)) {
      const whom = ["controller", "worker", "python", "everything"][Math.floor(random() * 4)];
      const takesWorker = whom === "worker" || whom === "python";
      if (takesWorker && workerKills === maxWorkerKills) break;
      const atMs = random() * milliseconds;
      if (!(await kill(process_, whom, random, atMs))) break;
      told.push(`${whom} after ${(atMs / 1000).toFixed(1)} s`);
      if (!takesWorker) break;
      workerKills++;
    }
    const { code, said } = await process_.ended;
    if (code === null) continue; // it was killed: the same command again
    if (code !== 0) return { told, problems: [`exit code ${code}: ${said.trim()}`], out };
    if (told.length > 0) return { told, problems: problemsOf(directoryIn(out), whole), out };
    rmSync(out, { recursive: true }); // it ended before the kill: try again
  }
}

const { whole, milliseconds } = await reference();
console.log(`seed ${values.seed}; an uninterrupted experiment takes ${(milliseconds / 1000).toFixed(1)} s; node ${process.version}`);
let count = 0;
let experiments = 0;
let identical = 0;
while (count < kills) {
  const { told, problems, out } = await killed(experiments++, kills - count, whole, milliseconds);
  count += told.length;
  if (problems.length === 0) identical++;
  const what = problems.length === 0 ? "identical" : "DIFFERENT";
  console.log(`${what}  experiment ${experiments}: killed ${told.join(", then ")}${problems.map((each) => `\n  ${each}`).join("")}`);
  if (problems.length > 0) console.log(`  kept: ${out}`);
  else if (!values.keep) rmSync(out, { recursive: true });
}
console.log(`${count} kills in ${experiments} experiments: ${identical} of ${experiments} identical`);
if (identical === experiments && !values.keep && existsSync(work)) rmSync(work, { recursive: true });
process.exitCode = identical === experiments ? 0 : 1;
