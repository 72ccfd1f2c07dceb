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
    "stack is 3, and 2 trials of this plan can share one: they may differ in seeds, init and training.learning_rate alone. Set stack to at most 2",
  );
  const twoShapes = trialsOf({ stack: 2 }, { stack: 2, model: { n_embd: 32 } });
  expect(() => requireStacks(twoShapes, local)).toThrow("stack is 2, and 1 trial of this plan can share one");
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }, { stack: 2 }, {}), local)).not.toThrow();
});

test("an executor that trains each trial alone has no stack", () => {
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }), { name: "ray", trainsAlone: true })).toThrow(
    "stack is 2, and executor ray trains each trial alone",
  );
  expect(() => requireStacks(trialsOf({}), { name: "ray", trainsAlone: true })).not.toThrow();
});

test("on a CPU it is said that a stack does not pay", () => {
  const machine = (device: "cpu" | "cuda") => ({ device, gpus: 0, cores: 2 });
  const trials = trialsOf({ stack: 2 }, { stack: 2 });
  expect(stackOnCpu({ trials, machine: machine("cpu") })).toBe(
    "On a CPU a stack is no faster than its trials one after the other: leave stack out, and use --workers",
  );
  expect(stackOnCpu({ trials, machine: machine("cuda") })).toBeUndefined();
  expect(stackOnCpu({ trials: trialsOf({}), machine: machine("cpu") })).toBeUndefined();
});
