import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { leastMemory, trialBytes } from "../../../../src/sweep/plan/trial-bytes.js";

// The default model has 116,160 weights with RMSNorm and 116,480 with LayerNorm, whose biases are counted for both.
const weights = 116_480;

test("histories, checkpoints, final model and events are counted", () => {
  const config = parseRunConfig({ training: { max_steps: 1000 }, checkpoint: { keep: 2 } });
  const history = 1001 * (128 * 64 * 2 + 24);
  const expected = history + 3 * weights * 6 + weights * 2 + 1000 * 200 + 200_000;
  expect(trialBytes(config)).toBe(expected);
});

test("fewer rows and a slower beat take less, wide moments more", () => {
  const bytes = (values: object) => trialBytes(parseRunConfig(values));
  expect(bytes({ record: { rows: [1, 2, 3] } })).toBeLessThan(bytes({}) / 2);
  expect(bytes({ record: { every: 10 } })).toBeLessThan(bytes({}) / 5);
  expect(bytes({ record: { every: "0..100, every 1000" } })).toBeLessThan(bytes({}) / 5);
  const both = { tensors: ["wte", "wte.grad"] };
  expect(bytes({ record: { ...both, schedules: { "wte.grad": 1000 } } })).toBeLessThan(bytes({ record: both }) * 0.6);
  expect(bytes({ training: { optimizer_state_dtype: "float32" } })).toBeGreaterThan(bytes({}));
});

test("a stack keeps weights and gradients of each place, and two moments of each run", () => {
  const stack = (values: object) => parseRunConfig({ engine: "fast", stack: 4, ...values });
  expect(leastMemory(parseRunConfig({}), 1)).toBe(weights * 8);
  expect(leastMemory(stack({}), 4)).toBe(4 * weights * 8);
  expect(leastMemory(stack({}), 3)).toBe(weights * (4 * 4 + 3 * 4));
  expect(leastMemory(stack({ training: { optimizer_state_dtype: "float32" } }), 1)).toBe(weights * (4 * 4 + 8));
});
