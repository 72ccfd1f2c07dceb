import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { Ledger } from "../../../../src/sweep/ledger.js";
import type { Plan } from "../../../../src/sweep/plan/plan.js";
import { createPlanDirectory } from "../../../../src/sweep/plan/plan-directory.js";
import { previewPlan } from "../../../../src/sweep/plan/preview-plan.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { sweepTrial } from "../sweep-trial.js";

const base = await loadRunConfig({});
/** A trial of a sweep that has been trained tells how long the others take: no Python is started. */
const noPython = { path: "/nowhere/python" } as Parameters<typeof previewPlan>[1];

function planOf(...trials: string[]): Plan {
  const machine = { device: "cpu", gpus: 0, cores: 2 } as const;
  const planned = trials.map((trial, index) => ({ trial, set: { seed: index }, config: base.config, corpus: "" }));
  return { name: "sigma", base, trials: planned, prune: null, question: null, hash: "0123456789ab", machine };
}

const preview = (out: string, plan: Plan, isHere = false) =>
  previewPlan(plan, noPython, { isHere, name: "local" }, { out, workers: 1, signal: new AbortController().signal });

test("before anything is there, all is planned and nothing is known of its time on other machines", async () => {
  const out = temporaryDirectory();
  const { directory, counts, cost } = await preview(out, planOf("a", "b"));
  expect([directory, counts.planned]).toEqual([null, 2]);
  expect(cost).toMatchObject({ trials: 2, seconds: null });
});

test("what is there already is told, and by its speed what the rest will take", async () => {
  const out = temporaryDirectory();
  const plan = planOf("a", "b", "c");
  const directory = createPlanDirectory(out, plan);
  mkdirSync(join(directory, "runs", "a"), { recursive: true });
  const { result } = sweepTrial({}, 2); // ten steps in a second
  using ledger = new Ledger(directory);
  ledger.append({ trial: "a", status: "completed", run: "runs/a", ...(result && { result }) });
  const told = await preview(out, plan, true);
  expect(told).toMatchObject({ directory, counts: { completed: 1, planned: 2 } });
  expect(told.cost).toMatchObject({ trials: 2, stepsPerSecond: 10, seconds: (2 * base.config.training.max_steps) / 10 });
});

test("a directory of the same name with another hash is another plan", async () => {
  const out = temporaryDirectory();
  createPlanDirectory(out, planOf("a"));
  expect((await preview(out, { ...planOf("a"), hash: "ffffffffffff" })).directory).toBeNull();
});

test("a trial that was trained alone does not tell how long a stack takes, which is not measured for other machines", async () => {
  const out = temporaryDirectory();
  const plan = planOf("alone", "a", "b");
  const stacked = plan.trials.map((trial) =>
    trial.trial === "alone" ? trial : { ...trial, config: parseRunConfig({ ...trial.config, engine: { name: "fast", batched_runs: 2 } }) },
  );
  const directory = createPlanDirectory(out, plan);
  mkdirSync(join(directory, "runs", "alone"), { recursive: true });
  const { result } = sweepTrial({}, 2);
  using ledger = new Ledger(directory);
  ledger.append({ trial: "alone", status: "completed", run: "runs/alone", ...(result && { result }) });
  const machine = { ...plan.machine, device: "cuda" as const }; // engine fast is refused on a CPU
  expect((await preview(out, { ...plan, trials: stacked, machine })).cost).toMatchObject({ trials: 2, workers: 1, together: 2, seconds: null });
});
