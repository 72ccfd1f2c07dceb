import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ledger } from "../../../src/sweep/ledger.js";
import { writeRun } from "./written-run.js";

const rules = { score: "notebook", decides: ["P"], margin: { P: 0.5 }, alpha: 0.05 };

/** An experiment that no training has written: two arms with a seed each. @returns its directory. */
export function writeExperiment(folder: string): string {
  const directory = join(folder, "norms-ab");
  const cells = ["plain", "scaled"].map((arm, index) => ({ arm, seed: index + 1, trial: `trial-${arm}` }));
  mkdirSync(directory, { recursive: true });
  const question = { arms: ["plain", "scaled"], seeds: [1, 2], rules, rulesHash: "0".repeat(64), measures: ["P"], cells };
  const trials = cells.map(({ trial, seed }) => ({ trial, set: { seed } }));
  const plan = { schema: "bh-bridge/plan@1", name: "norms", hash: "ab", preset: "quick", base: {}, prune: null, question, trials };
  writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
  using ledger = new Ledger(directory);
  for (const { arm, seed, trial } of cells) {
    writeRun({ folder: join(directory, "runs"), id: arm, name: `run of ${arm}`, seed });
    ledger.append({ trial, status: "running", run: `runs/${arm}` });
  }
  return directory;
}

/** A sweep that no training has written: learning rate × batch size, with results. P is 10 times the batch size, plus 1 for the higher learning rate. @returns its directory. */
export function writeSweep(folder: string): string {
  const directory = join(folder, "rates-ab");
  const points = [1e-4, 1e-3].flatMap((rate) => [2, 4, 8].map((batch) => ({ trial: `trial-${rate}-${batch}`, rate, batch })));
  mkdirSync(directory, { recursive: true });
  const trials = points.map(({ trial, rate, batch }) => ({ trial, set: { "training.learning_rate": rate, "training.per_device_train_batch_size": batch } }));
  const plan = { schema: "bh-bridge/plan@1", name: "rates", hash: "ab", preset: "quick", base: {}, prune: null, question: null, trials };
  writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
  using ledger = new Ledger(directory);
  for (const { trial, rate, batch } of points) {
    const P = 10 * batch + (rate > 5e-4 ? 1 : 0);
    const census = { rows: 128, unique: 129 - P, C: 1, P, populations: [P] };
    const displacement = { float64: rate * 100, float32: rate * 100, bfloat16: rate * 100 };
    const verdict = { result: "null" as const, reason: "no split" };
    const result = { steps: 60, seconds: 6, finite: true, finalLoss: 3 + 1 / batch, census, displacement, verdict };
    writeRun({ folder: join(directory, "runs"), id: trial, name: trial });
    ledger.append({ trial, status: "completed", run: `runs/${trial}`, result });
  }
  return directory;
}
