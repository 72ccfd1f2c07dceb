import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import type { Trial } from "../../../../src/sweep/plan/plan-trials.js";
import { requireStacks, stackOnCpu } from "../../../../src/sweep/plan/require-stacks.js";

const trialsOf = (...inputs: RunConfigInput[]): Trial[] =>
  inputs.map((input, index) => ({ trial: String(index), set: {}, corpus: "text", config: parseRunConfig({ engine: "fast", seed: index, ...input }) }));
const local = { name: "local" } as const;

test("a stack that the trials of a plan do not fill is refused, with the number that does", () => {
  expect(() => requireStacks(trialsOf({ stack: 3 }, { stack: 3 }), local)).toThrow(
    "engine.batched_runs is 3, and 2 trials of this plan can be computed together: they may differ only in seeds, init and training.learning_rate. Set engine.batched_runs to at most 2",
  );
  const twoShapes = trialsOf({ stack: 2 }, { stack: 2, model: { n_embd: 32 } });
  expect(() => requireStacks(twoShapes, local)).toThrow("engine.batched_runs is 2, and 1 trial of this plan can be computed together");
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }, { stack: 2 }, {}), local)).not.toThrow();
});

test("an executor that trains each trial alone has no stack", () => {
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }), { name: "ray", trainsAlone: true })).toThrow(
    "engine.batched_runs is 2, and executor ray trains each trial alone",
  );
  expect(() => requireStacks(trialsOf({}), { name: "ray", trainsAlone: true })).not.toThrow();
});

test("on a CPU it is said that a stack does not pay", () => {
  const machine = (device: "cpu" | "cuda") => ({ device, gpus: 0, cores: 2 });
  const trials = trialsOf({ stack: 2 }, { stack: 2 });
  expect(stackOnCpu({ trials, machine: machine("cpu") })).toBe(
    "On a CPU batched runs are no faster than trials one after another: omit engine.batched_runs, and use --workers",
  );
  expect(stackOnCpu({ trials, machine: machine("cuda") })).toBeUndefined();
  expect(stackOnCpu({ trials: trialsOf({}), machine: machine("cpu") })).toBeUndefined();
});
