import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExperiment } from "../../../../src/report/report-page.js";
import { judge } from "../../../../src/sweep/judge/judge.js";
import { armAndSeed } from "../../../../src/sweep/judge/read-logs.js";
import { Ledger } from "../../../../src/sweep/ledger.js";
import { python } from "../../../e2e/program.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeExperiment } from "../../serve/written-experiment.js";
import { sweepTrial } from "../sweep-trial.js";

test.each([
  ["base/seed-1", "base", "1"],
  ["base/12", "base", "12"],
  ["3/base", "base", "3"],
  ["adam-lr3e-4/seed_7", "adam-lr3e-4", "7"],
  ["runs/base_s2", "runs/base", "2"],
  ["base-seed5", "base", "5"],
  ["base", "base", undefined],
])("the path %s has arm %s and seed %s", (path, arm, seed) => expect(armAndSeed(path)).toEqual({ arm, seed }));

test("trainer_state.json of the last checkpoints is judged, without the values that describe the training", async () => {
  const folder = temporaryDirectory();
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    for (const [arm, loss] of [["base", 3 + seed / 100] as const, ["new", 2.8 + seed / 90] as const]) {
      for (const step of [50, 100]) {
        const directory = join(folder, arm, `seed-${seed}`, `checkpoint-${step}`);
        mkdirSync(directory, { recursive: true });
        const log = { eval_loss: step === 100 ? loss : 9, eval_runtime: Math.random(), learning_rate: 0, epoch: 1, step };
        writeFileSync(join(directory, "trainer_state.json"), JSON.stringify({ global_step: step, max_steps: 100, log_history: [log] }));
      }
    }
  }
  const found = await judge(folder, { control: "base" });
  expect(found).toMatchObject({ pairing: "paired", rows: 12, seeds: ["1", "2", "3", "4", "5", "6"], verdict: { result: "positive" } });
  expect(found.measures.map(({ measure }) => measure)).toEqual(["eval_loss"]);
  expect(found.measures[0]?.control.values).toEqual([3.01, 3.02, 3.03, 3.04, 3.05, 3.06]);
  await expect(judge(folder, {})).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("the arms are base, new") as string });
});

test("an experiment is judged as it judges itself, against its own control", async () => {
  const directory = writeExperiment(temporaryDirectory());
  const { result } = sweepTrial({}, 2);
  {
    using ledger = new Ledger(directory);
    for (const arm of ["plain", "scaled"]) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
  }
  const { verdict, measures } = await readExperiment(directory, { workers: 0 });
  const found = await judge(directory, {});
  expect(found).toMatchObject({ control: "plain", arms: ["scaled"], rows: 2, measures });
  expect({ ...found.verdict, notes: undefined }).toEqual({ ...verdict, notes: undefined }); // notes on settings need the confounds
  await expect(judge(directory, { unpaired: true, rules: { alpha: 0.5 } })).rejects.toMatchObject({ issues: [{ path: "unpaired" }, { path: "rules.alpha" }] });
});

test("a folder without logs, and logs without their library, are refused with what to do", async () => {
  const folder = temporaryDirectory();
  await expect(judge(folder, { control: "base" })).rejects.toMatchObject({ code: "USAGE" });
  writeFileSync(join(folder, "events.out.tfevents.1.machine"), "");
  const withoutLibraries = join(folder, "python");
  writeFileSync(withoutLibraries, `#!/bin/sh\nexec ${JSON.stringify(python)} -I -S "$@"\n`, { mode: 0o755 });
  const refused = { code: "PYTHON_DEPENDENCY_MISSING", message: expect.stringContaining("-m pip install tensorboard") as string };
  await expect(judge(folder, { control: "base", python: withoutLibraries })).rejects.toMatchObject(refused);
});
