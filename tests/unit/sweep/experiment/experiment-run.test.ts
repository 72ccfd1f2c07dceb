import { expect, test } from "vitest";
import { measuredValue } from "../../../../src/sweep/experiment/read-experiment-run.js";
import { runOf } from "./experiment-runs.js";

test("a score is 1 for positive, 0 for null, and none where the run cannot be scored", () => {
  expect((["positive", "null", "degenerate"] as const).map((score) => measuredValue(runOf({ score }), "score"))).toEqual([1, 0, null]);
});

test("another measure is the run's own value, none where it has none", () => {
  const run = runOf({ values: { deadC: 3, evalLoss: null } });
  expect(["deadC", "evalLoss", "P"].map((measure) => measuredValue(run, measure))).toEqual([3, null, null]);
});

test("nothing counts of a run whose history means nothing", () => {
  const run = runOf({ degenerate: ["all-zero"], values: { deadC: 3 } });
  expect(["score", "deadC"].map((measure) => measuredValue(run, measure))).toEqual([null, null]);
});
