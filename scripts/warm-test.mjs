// Train random sequences of small trials, each sequence in one warm worker, and compare every run with the same trial in a separate process.
//
//   npm run test:warm -- --sequences 200 --seed 1 [--length 6] [--trials 40] [--jobs 2] [--keep]
//
// In a sequence, trials complete, are stopped at a random instant and resumed, are pruned, fail in Python, or diverge. The separate run of a trial is trained
// once, by `bh-bridge train`, or for a pruned trial by a worker that trains nothing else.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    sequences: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    length: { type: "string", default: "6" },
    trials: { type: "string", default: "40" },
    jobs: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
  },
});
await prepare();
const [{ LocalWorker }, { resolvePython }, { drawTrial }] = await Promise.all([
  import("../dist/sweep/executors/local/local-executor.js"),
  import("../dist/python/require-packages.js"),
  import("./warm-trials.mjs"),
]);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "bh-bridge-warm-"));
const random = randomFrom(Number(values.seed));
const python = await resolvePython();

/** A few sentences and all of ASCII, so that every vocabulary size gives other tokens and enough text can be held out. */
const poem = "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n";
const corpora = [poem.repeat(8), `${poem}${String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))}\n`.repeat(4)].map((text, index) => {
  const path = join(work, `corpus-${index}.txt`);
  writeFileSync(path, text);
  return path;
});
const trials = [];
for (let number = 0; number < Number(values.trials); number++) trials.push(await drawTrial(random, corpora));

const prune = { every: 3, when: ["unique > 100000", "loss > 0", "loss < 0"] };
const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const onlyIn = (folder) => join(folder, readdirSync(folder)[0]);

function taskOf({ config, preset }, out, changes = {}) {
  mkdirSync(out, { recursive: true });
  return { trial: "trial", config, preset, corpus: sha256(config.data.corpus), out, run: null, prune: null, ...changes };
}

/** The run of a trial in a separate process, trained on first use. */
const alone = new Map();
function runAlone(number, isPruned) {
  const key = `${number}${isPruned ? "-pruned" : ""}`;
  if (!alone.has(key)) alone.set(key, isPruned ? prunedAlone(number, key) : trainedAlone(number, key));
  return alone.get(key);
}

async function trainedAlone(number, key) {
  const [file, out] = [join(work, `${key}.json`), join(work, "alone", key)];
  writeFileSync(file, JSON.stringify(trials[number].config));
  // A trial that diverges ends with exit code 1; one that has not ended has no final model, which the comparison says.
  await new Promise((resolve) => execFile(process.execPath, [cli, "train", "-c", file, "--out", out, "--quiet"], resolve));
  return onlyIn(out);
}

async function prunedAlone(number, key) {
  const worker = new LocalWorker({ python, cores: null, gpu: null });
  await train(worker, taskOf(trials[number], join(work, "alone", key), { prune }));
  await worker.close();
  return onlyIn(join(work, "alone", key));
}

/** Trains in a worker; stops it after a number of milliseconds if one is given. */
async function train(worker, task, stopAfterMs) {
  const onStart = (run) => {
    task.run = run;
    if (stopAfterMs !== undefined) void after(stopAfterMs).then(() => worker.stop());
  };
  const [end] = await worker.train([{ task, listener: { onStart, onStep: () => undefined } }]);
  return end;
}

/** A trial that diverged has failed, but has a result. */
const tookAllSteps = ({ kind, result }) => kind === "completed" || (kind === "failed" && result !== undefined);

/** The treatments of trials, as often as they are listed here. */
const ways = ["whole", "whole", "whole", "whole", "whole", "stop", "stop", "prune", "prune", "fail"];

const counts = { whole: 0, "stopped and gone on with": 0, pruned: 0, "failed in Python": 0 };

/** Trains one sequence in one worker; returns the trained trials and the problems. */
async function sequence(number) {
  const draw = randomFrom(Number(values.seed) * 1_000_003 + number);
  const worker = new LocalWorker({ python, cores: null, gpu: null });
  const told = [];
  const problems = [];
  const compare = async (which, run, isPruned, what) => {
    counts[what]++;
    for (const file of runDifferences(run, await runAlone(which, isPruned))) problems.push(`${told.at(-1)}: ${file} differs`);
  };
  const unexpected = ({ kind, reason = "" }) => problems.push(`${told.at(-1)}: ${kind} ${reason}`);
  const stopped = [];
  for (let place = 0; place < Number(values.length); place++) {
    const which = Math.floor(draw() * trials.length);
    const way = ways[Math.floor(draw() * ways.length)];
    const out = join(work, `sequence-${number}`, String(place));
    told.push(`${which} ${way}`);
    if (way === "fail") {
      const { config, preset } = trials[which];
      // GaLore is not installed, which HF finds out once the training has begun.
      const end = await train(worker, taskOf({ config: { ...config, training: { ...config.training, optim: "galore_adamw" } }, preset }, out));
      if (end.kind === "failed" && /galore/i.test(end.reason)) counts["failed in Python"]++;
      else unexpected(end);
      continue;
    }
    const task = taskOf(trials[which], out, way === "prune" ? { prune } : {});
    const end = await train(worker, task, way === "stop" ? draw() * 80 : undefined);
    if (tookAllSteps(end)) await compare(which, task.run, false, "whole");
    else if (end.kind === "pruned" && way === "prune") await compare(which, task.run, true, "pruned");
    else if (end.kind === "stopped" && way === "stop") stopped.push({ which, task });
    else unexpected(end);
  }
  for (const { which, task } of stopped) {
    told.push(`${which} on`);
    const end = await train(worker, task);
    if (tookAllSteps(end)) await compare(which, task.run, false, "stopped and gone on with");
    else unexpected(end);
  }
  await worker.close();
  return { told, problems };
}

console.log(`seed ${values.seed}; ${values.sequences} sequences of ${trials.length} trials; node ${process.version}`);
let next = 0;
let identical = 0;
async function job() {
  while (next < Number(values.sequences)) {
    const number = next++;
    const { told, problems } = await sequence(number);
    if (problems.length === 0) identical++;
    console.log(
      `${problems.length === 0 ? "identical" : "DIFFERENT"}  sequence ${number}: ${told.join(", ")}${problems.map((each) => `\n  ${each}`).join("")}`,
    );
    if (problems.length === 0 && !values.keep) rmSync(join(work, `sequence-${number}`), { recursive: true });
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, job));
const total = Number(values.sequences);
const trained = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
console.log(`${trained.join(", ")}; ${alone.size} in separate processes: ${identical} of ${total} identical`);
if (identical === total && !values.keep) rmSync(work, { recursive: true });
else console.log(`kept: ${work}`);
process.exitCode = identical === total ? 0 : 1;
