import { expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { resolvePython } from "../../../../src/python/resolve-python.js";
import { concludeQuestion } from "../../../../src/sweep/experiment/conclude-question.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();

test("a trial that diverged is a run that cannot be scored; one that failed on its way is missing", async () => {
  const interpreter = await resolvePython({ python });
  await using bridge = await Bridge.startWith(interpreter, { threads: 1, device: "cpu" });
  const diverged = await tinyRun(bridge, out, { training: { learning_rate: 1e30, max_grad_norm: 0 } });
  const result: SweepTrial["result"] = {
    steps: 4,
    seconds: 1,
    finite: false,
    finalLoss: null,
    census: { rows: 128, unique: 128, C: 0, P: 0, populations: [] },
    displacement: { float64: null, float32: null, bfloat16: null },
    verdict: { result: "degenerate", reason: "" },
  };
  const rules = appliedRules(rulesSchema.parse({}));
  const cells = ["still", "fast"].map((arm) => ({ arm, seed: 42, trial: arm }));
  const conclude = concludeQuestion({ name: "speeds" }, { arms: ["still", "fast"], seeds: [42], rules, measures: [], cells }, interpreter);
  const trials: SweepTrial[] = [
    { trial: "still", status: "failed", run: null, set: {}, reason: "no", result: null },
    { trial: "fast", status: "failed", run: diverged, set: {}, reason: "not finite", result },
  ];
  const { document } = await conclude({ directory: out, trials, signal: AbortSignal.abort() });
  expect(document.control).toEqual([]);
  expect(document.treatment).toMatchObject([{ run: diverged, score: { result: "degenerate" } }]);
  expect(document.verdict).toMatchObject({ result: "degenerate", reason: expect.stringContaining("the runs of fast cannot be scored") });
});
