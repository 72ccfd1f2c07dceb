// Carries out a plan of many trials of some milliseconds, as `bh-bridge sweep` does; prints a line of JSON: what it took.
//
// usage: controller.mjs CORPUS TRIALS WORKERS OUT
import { fileURLToPath } from "node:url";
import { resolvePython } from "../../../dist/python/require-packages.js";
import { conductPlan } from "../../../dist/sweep/conduct-plan.js";
import { LocalWorker } from "../../../dist/sweep/executors/local/local-executor.js";
import { loadSweep } from "../../../dist/sweep/grammar/load-sweep.js";
import { planSweep } from "../../../dist/sweep/plan/plan-experiment.js";
import { runPool } from "../../../dist/sweep/pool/run-pool.js";
import { concludeSweep } from "../../../dist/sweep/sweep-summary.js";

const [corpus, trials, workers, out] = process.argv.slice(2);
const python = await resolvePython({});
const program = fileURLToPath(new URL("worker.mjs", import.meta.url));
const executor = {
  name: "local",
  isHere: false, // no memory has to be held free for trainings
  machine: async () => ({ device: "cpu", gpus: 0, cores: Number(workers) }),
  train: ({ tasks, listener, signal, failFast }) =>
    runPool(tasks, {
      workers: Number(workers),
      startWorker: () => new LocalWorker({ python, cores: null, gpu: null }, program),
      listener,
      signal,
      failFast,
    }),
};
const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
const began = performance.now();
const base = { device: "cpu", data: { corpus }, model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 }, training: { max_steps: 1 } };
const loaded = await loadSweep({ input: { name: "many", base, seeds: `1..${trials}` } });
const plan = await planSweep(loaded, { executor, python, out });
const plannedAt = performance.now();
let ended = 0;
const memory = [];
const { document } = await conductPlan(
  plan,
  python,
  executor,
  { out, workers: Number(workers) },
  ({ kind }) => {
    if (kind !== "ended") return;
    ended++;
    if (ended % Math.ceil(Number(trials) / 5) === 0) memory.push(megabytes());
  },
  concludeSweep(plan),
);
console.log(
  JSON.stringify({
    directory: document.directory,
    counts: document.counts,
    planSeconds: (plannedAt - began) / 1000,
    seconds: (performance.now() - plannedAt) / 1000,
    memory,
  }),
);
