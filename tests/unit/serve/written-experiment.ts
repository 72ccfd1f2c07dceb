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
