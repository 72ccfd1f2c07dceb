import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import { summarizeRun } from "../../../../src/runner/summarize-run.js";
import { readRunConfig } from "../../../../src/runs/run-config.js";
import { readRunManifest } from "../../../../src/runs/run-manifest.js";
import { inStacks, stackOf, trialResult, trialResultSchema, trialsInParallel } from "../../../../src/sweep/pool/trial-task.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { deadRows, writeRun, writtenLoss, writtenRows } from "../../serve/written-run.js";

const of = (input: RunConfigInput, corpus = "text") => stackOf({ config: parseRunConfig({ engine: "fast", stack: 2, ...input }), corpus });

test("trials that differ in seeds, initial state, name or learning rate share a stack", () => {
  const first = of({});
  expect(first).toBeDefined();
  expect(of({ seed: 7, name: "another", init: { kind: "snowball", sigma: 1e-3 } })).toBe(first);
  expect(of({ seeds: { data: 3 }, training: { learning_rate: 3e-4 } })).toBe(first);
});

test("other shapes, steps and texts have stacks of their own, and a trial without one is alone", () => {
  const stacks = [
    of({}),
    of({}, "another text"),
    of({ stack: 3 }),
    of({ training: { max_steps: 5 } }),
    of({ model: { n_embd: 32 } }),
    of({ noise: { epsilon: 1e-5 } }),
  ];
  expect(new Set(stacks).size).toBe(stacks.length);
  expect(of({ stack: 1 })).toBeUndefined();
});

test("trials go to workers in their order, those of a stack together, and the last one need not be full", () => {
  const named = (name: string, input: RunConfigInput) => ({ name, corpus: "text", config: parseRunConfig({ engine: "fast", ...input }) });
  const wide = { stack: 2, model: { n_embd: 32 } };
  const trials = [
    named("a", { stack: 2 }),
    named("wide b", wide),
    named("alone", {}),
    named("c", { stack: 2 }),
    named("wide d", wide),
    named("e", { stack: 2 }),
  ];
  const stacks = inStacks(trials).map((stack) => stack.map(({ name }) => name));
  expect(stacks).toEqual([["a", "c"], ["wide b", "wide d"], ["alone"], ["e"]]);
  expect([1, 3, 9].map((workers) => trialsInParallel(stacks, workers))).toEqual([2, 5, 6]);
});

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
