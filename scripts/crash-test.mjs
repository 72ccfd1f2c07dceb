// Kill Node or Python with SIGKILL at random instants, resume, and compare with an uninterrupted run.
//
//   npm run test:crash -- --kills 200 --seed 1 [--engine plain|exact|portable] [--jobs 2] [--keep]
//
// plain: engine trainer with dropout; exact: with the exact step, where it holds and is faster.
// portable: engine portable, of which every resumed part has another build and one, two or three threads.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    engine: { type: "string", default: "plain" },
    jobs: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
  },
});
await prepare();
const kills = Number(values.kills);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "bh-bridge-crash-"));
const steps = 200;

/** The settings of each way to compute steps. */
const computedBy = {
  plain: "model.resid_pdrop=0.1", // with which neither of the others can do
  exact: "engine.exact=auto",
  portable: "engine=portable",
}[values.engine];
if (computedBy === undefined) throw new Error(`--engine ${values.engine}: expected plain, exact or portable`);

/** A training with every kind of state: several epochs, dropout, noise, evaluation, gradient accumulation, recorded moments. */
const settings = [
  "model.n_embd=16 model.n_layer=1 model.n_head=2 model.n_positions=32 noise.epsilon=3e-5",
  computedBy,
  'training.per_device_train_batch_size=4 training.gradient_accumulation_steps=2 training.logging_steps=10 training.eval_strategy="steps"',
  'training.eval_steps=40 data.held_out=0.1 record.every=3 record.tensors=["wte","wte.grad","wte.exp_avg","wte.exp_avg_sq"] checkpoint.every=20',
]
  .join(" ")
  .split(" ")
  .flatMap((setting) => ["--set", setting]);

/** Starts a command of the program; returns its process and a promise of its end. */
function start(args, env = {}) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  child.stderr.on("data", (data) => {
    said = (said + data).slice(-2000);
  });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal, said })));
  return { child, ended };
}

function runOf(out) {
  const name = existsSync(out) ? readdirSync(out).find((each) => !each.startsWith(".")) : undefined;
  return name && join(out, name);
}

/** The Python that a Node process has started, if it is running. */
function pythonOf(node) {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" }).trim().split("\n");
  const line = table.map((each) => each.trim().split(/\s+/)).find(([, parent, state]) => Number(parent) === node && !state?.startsWith("Z"));
  return line && Number(line[0]);
}

const has = (folder, pattern) => existsSync(folder) && readdirSync(folder).some((name) => pattern.test(name));

/** When to kill: at a random time, or during a critical operation. */
const moments = {
  any: (random, seconds) => {
    const at = performance.now() + random() * seconds * 1000;
    return () => performance.now() >= at;
  },
  starting: (random) => {
    const at = performance.now() + random() * 400;
    return () => performance.now() >= at;
  },
  checkpointing: (random) => {
    const step = 20 * Math.ceil(random() * (steps / 20));
    const name = new RegExp(`^\\.step-0*${step}\\.partial$`);
    return (run) => has(join(run, "checkpoints"), name) || existsSync(join(run, "final"));
  },
  finalising: () => (run) => has(run, /^\.final\.partial$|^final$/),
  concluding: () => (run) => existsSync(join(run, "final")),
};

/** A checkpoint of this model takes about 10 ms. Polling every millisecond hits all its stages and leaves the cores to training. */
const pollMs = 1;

async function killAt(process_, out, whom, reached) {
  let hasEnded = false;
  void process_.ended.then(() => {
    hasEnded = true;
  });
  while (!hasEnded && !(runOf(out) && reached(runOf(out)))) await after(pollMs);
  if (hasEnded) return false;
  const victim = whom === "Node" ? process_.child.pid : pythonOf(process_.child.pid);
  if (victim === undefined) return false;
  try {
    process.kill(victim, "SIGKILL");
  } catch {
    return false; // it has just ended by itself
  }
  await process_.ended;
  return true;
}

writeFileSync(join(work, "corpus.txt"), "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n".repeat(8));
const common = ["train", "--corpus", join(work, "corpus.txt"), "--device", "cpu", "--threads", "1", "--steps", String(steps), "--quiet", ...settings];

/** The builds of engine portable that this machine can use; none for the other engines. */
function usableBuilds() {
  if (values.engine !== "portable") return [];
  const { portable } = JSON.parse(execFileSync(process.execPath, [cli, "doctor", "--json"], { encoding: "utf8" }));
  return portable.builds.filter(({ usable }) => usable).map(({ name }) => name);
}

const builds = usableBuilds();

/** Options and variables of the n-th resumption of a run. */
function elsewhere(number) {
  if (builds.length === 0) return [[], {}];
  return [["--threads", String(1 + (number % 3))], { BH_BRIDGE_PORTABLE: builds[number % builds.length] }];
}

async function reference() {
  const out = join(work, "whole");
  const began = performance.now();
  const { code, said } = await start([...common, "--out", out]).ended;
  if (code !== 0) throw new Error(`the uninterrupted run failed:\n${said}`);
  const events = readFileSync(join(runOf(out), "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { whole: runOf(out), seconds: events.at(-1).wall - events[0].wall + 1, total: (performance.now() - began) / 1000 };
}

/** Kills a run, and sometimes its resumptions, until it completes. Returns the kills and the differences. */
async function killed(number, whole, seconds) {
  const random = randomFrom(Number(values.seed) * 1_000_003 + number);
  const out = join(work, `killed-${number}`);
  mkdirSync(out);
  const told = [];
  const beginning = [...common, "--out", out];
  // A run that was killed before its first step leaves nothing to resume: it begins again.
  for (;;) {
    const [options, variables] = elsewhere(number + told.length);
    const args = runOf(out) === undefined ? beginning : ["resume", runOf(out), "--quiet", ...options];
    const again = told.length === 0 || (told.length < 4 && random() < 0.3);
    const kind = ["any", "any", "any", "starting", "checkpointing", "checkpointing", "finalising", "concluding"][Math.floor(random() * 8)];
    const whom = random() < 0.5 ? "Node" : "Python";
    const process_ = start(args, variables);
    if (again && (await killAt(process_, out, whom, moments[kind](random, seconds)))) {
      told.push(`${whom} ${kind}`);
      continue;
    }
    const { code, said } = await process_.ended;
    if (code !== 0) return { told, problems: [`exit code ${code}: ${said.trim()}`], out };
    if (told.length > 0) return { told, problems: runDifferences(runOf(out), whole), out };
    rmSync(out, { recursive: true }); // it ended before the kill: try again
    mkdirSync(out);
  }
}

if (builds.length > 0) console.log(`builds: ${builds.join(", ")}`);
const { whole, seconds, total } = await reference();
const manifest = JSON.parse(readFileSync(join(whole, "run.json"), "utf8"));
console.log(`engine ${manifest.engine}, exact step ${manifest.step_method?.method === "exact" && manifest.step_method.used ? "used" : "not used"}`);
console.log(`seed ${values.seed}; an uninterrupted run takes ${total.toFixed(1)} s, ${seconds.toFixed(1)} s of them training; node ${process.version}`);
let count = 0;
let runs = 0;
let identical = 0;
let next = 0;
async function worker() {
  while (count < kills) {
    const number = next++;
    const { told, problems, out } = await killed(number, whole, seconds);
    count += told.length;
    runs++;
    if (problems.length === 0) identical++;
    console.log(
      `${problems.length === 0 ? "identical" : "DIFFERENT"}  run ${number}: killed ${told.join(", then ")}${problems.length > 0 ? `: ${problems.join("; ")} (kept: ${out})` : ""}`,
    );
    if (problems.length === 0 && !values.keep) rmSync(out, { recursive: true });
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
console.log(`${count} kills in ${runs} runs: ${identical} of ${runs} identical`);
if (identical === runs && !values.keep) rmSync(work, { recursive: true });
process.exitCode = identical === runs ? 0 : 1;
