import { expect, test } from "vitest";
import { summarizeRun } from "../../../src/runner/summarize-run.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { trialResult, trialResultSchema } from "../../../src/sweep/trial-result.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, writeRun, writtenLoss, writtenRows } from "../serve/written-run.js";

test("the result of a trial is that of its run in a few numbers, without the tokens of its black holes", async () => {
  const directory = writeRun({ folder: temporaryDirectory(), id: "run", steps: 20 });
  const whole = await summarizeRun(directory, readRunConfig(directory), readRunManifest(directory));
  const result = trialResultSchema.parse(trialResult(whole));
  expect(result).toMatchObject({ steps: 20, seconds: 2, finite: true, finalLoss: writtenLoss(20, 0) }); // of the last step, since nothing was logged
  expect(result.census).toEqual({ rows: writtenRows, unique: writtenRows - deadRows.length + 1, C: 1, P: deadRows.length, populations: [deadRows.length] });
  expect([result.displacement, result.verdict]).toEqual([whole.displacement, whole.verdict]);
  expect(
    trialResult({
      ...whole,
      loss: [
        [10, 3],
        [20, 2.5],
      ],
    }).finalLoss,
  ).toBe(2.5);
});
