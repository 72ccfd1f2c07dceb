import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import { stackOf } from "../../../../src/sweep/pool/stack-of.js";

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
