import { expect, test } from "vitest";
import { formatComparison } from "../../../../src/commands/compare/format-comparison.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal-text.js";
import type { Comparison } from "../../../../src/compare/compare.js";

const comparison: Comparison = {
  runs: ["/runs/one", "/runs/two"],
  differences: { config: [{ path: "seed", values: [42, 7] }], data: [], environment: [{ path: "torch", values: ["2.13.0", "2.14.0"] }], code: [] },
  results: [
    { path: "loss", values: [4, 3], difference: [0, -1], relative: [0, -0.25] },
    { path: "status", values: ["completed", "stopped"], difference: [null, null], relative: [null, null] },
  ],
  history: [
    {
      a: "/runs/one",
      b: "/runs/two",
      equal: false,
      first: { step: 33, tensor: "wte", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 },
      equalTo: 32,
      reason: null,
    },
  ],
  loss: [{ a: "/runs/one", b: "/runs/two", equal: false, first: null, reason: "a ends at step 60, b at step 40" }],
  final: [{ a: "/runs/one", b: "/runs/two", equal: true, first: null, reason: null }],
};

const colors = terminalColors(false);

test("runs have letters, sections what differs, and the first differing bit its place", () => {
  expect(formatComparison(comparison, colors)).toBe(`A  one
B  two

Configuration
        A   B
  seed  42  7

Environment
         A       B
  torch  2.13.0  2.14.0

No difference in data, code

Results
                  A        B      B − A
  loss            4        3  −1 (25 %)
  status  completed  stopped

Bit for bit
  A, B  history  differs first at step 33, wte, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart
  A, B  loss     A ends at step 60, B at step 40
  A, B  final    equal`);
});

test.each([60, 100])("no line is wider than a terminal of %i columns", (width) => {
  const many = {
    ...comparison,
    differences: { ...comparison.differences, config: [{ path: "training.lr_scheduler_kwargs", values: ["x".repeat(200), [1, 2, 3]] }] },
  };
  const lines = formatComparison(many, colors, width).split("\n");
  expect(lines.filter((line) => line.length > width)).toEqual([]);
});

test("pairs that were trained again have a section, and without any it says so", () => {
  const parting = { a: "/runs/one", b: "/runs/two", until: 33, equalTo: 33, step: null, first: null, module: null, unlike: [] };
  expect(formatComparison({ ...comparison, deep: [parting] }, colors)).toMatch(
    /\n\nTrained again\n {2}A, B {2}They came out the same in every bit to step 33: the difference is not reproduced$/,
  );
  expect(formatComparison({ ...comparison, deep: [] }, colors)).toMatch(/\n\nTrained again\n {2}Nothing: they are equal$/);
  expect(formatComparison(comparison, colors)).not.toContain("Trained again");
});
