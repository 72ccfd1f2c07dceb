import { expect, test } from "vitest";
import { both, divergenceLines, formatComparison, recordPosition } from "../../../../src/commands/compare/format-comparison.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import type { Comparison } from "../../../../src/compare/compare.js";
import type { TracedDifference } from "../../../../src/compare/compare-traces.js";
import type { Divergence } from "../../../../src/compare/locate-divergence.js";

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

test("environments do not explain a difference of two runs of engine portable, but their recipes and configurations do", () => {
  const shown = (changes: Partial<Comparison>) => formatComparison({ ...comparison, ...changes }, colors).split("Bit for bit")[1];
  const differences = { ...comparison.differences, config: [] };
  expect(shown({ differences, recipes: [1, 1] })).toContain("A, B  both are of engine portable: no difference of their environments explains this");
  expect(shown({ differences, recipes: [1, 2] })).toContain("A, B  recipes 1 and 2 of engine portable compute different bits");
  for (const changes of [{ recipes: [1, 1] }, { differences, recipes: [1, null] }, { differences }]) expect(shown(changes)).not.toContain("portable");
});

test("pairs that were trained again have a section, and without any it says so", () => {
  const parting = { a: "/runs/one", b: "/runs/two", until: 33, equalTo: 33, step: null, first: null, module: null, unlike: [] };
  expect(formatComparison({ ...comparison, deep: [parting] }, colors)).toMatch(
    /\n\nTrained again\n {2}A, B {2}Equal in every bit up to step 33: the difference is not reproduced$/,
  );
  expect(formatComparison({ ...comparison, deep: [] }, colors)).toMatch(/\n\nTrained again\n {2}Nothing, as they are equal$/);
  expect(formatComparison(comparison, colors)).not.toContain("Trained again");
});

const output: TracedDifference = {
  ...{ quantity: "output", batch: 1, module: "transformer.h.0.ln_1", type: ["RMSNorm", "LayerNorm"], tensor: "" },
  ...{ element: [0, 3, 5], a: 0.5, b: 0.501953125, ulp: 1, reason: null },
};
const divergence: Divergence = { a: "/one", b: "/two", until: 34, equalTo: 32, step: 33, first: output, module: output, unlike: [] };
const linesOf = (changes: Partial<Divergence>) => divergenceLines({ ...divergence, ...changes }, ["A", "B"]);

test("the step, the module, its classes and both values are told", () => {
  expect(linesOf({})).toEqual([
    "Equal in every weight and moment up to step 32. The first difference of step 33: the output of transformer.h.0.ln_1 (RMSNorm in A, LayerNorm in B), batch 1, element [0, 3, 5]: 0.5 and 0.501953125, 1 ULP apart",
  ]);
});

test("what differs before any module is told first, and the module after it", () => {
  const batch: TracedDifference = {
    ...output,
    quantity: "batch",
    module: "",
    tensor: "labels",
    type: ["GPT2LMHeadModel", "GPT2LMHeadModel"],
    element: [0, 1],
    a: 46,
    b: 116,
    ulp: null,
  };
  const [first, module] = linesOf({ first: batch });
  expect(first).toMatch(/step 33: the batch itself \(labels\), batch 1, element \[0, 1\]: 46 and 116$/);
  expect(module).toMatch(/^The first module that differs: the output of transformer\.h\.0\.ln_1 /);
});

test.each<[Partial<TracedDifference>, string]>([
  [
    { quantity: "setting", batch: null, tensor: "weight.lr", element: [], a: 1e-3, b: 2e-3, ulp: 2 ** 52 },
    "the optimizer's lr for transformer.h.0.ln_1.weight: 0.001 and 0.002",
  ],
  [
    { quantity: "updated state", batch: null, tensor: "weight.exp_avg", element: [1] },
    "exp_avg of transformer.h.0.ln_1.weight after the optimizer's step, element [1]: ",
  ],
  [{ quantity: "state", batch: null, tensor: "weight", element: [1] }, "transformer.h.0.ln_1.weight before the step, element [1]: "],
  [{ quantity: "gradient", tensor: "bias", element: [1] }, "the gradient of transformer.h.0.ln_1.bias, batch 1, element [1]: "],
])("where no module differs, that is told: %j", (changes, words) => {
  const same = { ...output, type: ["RMSNorm", "RMSNorm"], ...changes } as TracedDifference;
  const [first = "", second] = linesOf({ first: same, module: null });
  expect(first).toContain(`The first difference of step 33: ${words}`);
  expect(second).toBe("No output and no gradient of a module differs in that step");
});

test("a module that one alone has is told with the names of the runs", () => {
  const alone: TracedDifference = { ...output, type: ["RMSNorm", null], element: null, a: null, b: null, ulp: null, reason: "it is only in a" };
  expect(linesOf({ first: alone, module: alone, equalTo: null })[0]).toMatch(
    /^Different from the start\. .* \(RMSNorm in A, nothing in B\), batch 1: it is only in A$/,
  );
});

test("a difference that is not reproduced is said to be none, and which recording is another one", () => {
  const history = { step: 20, tensor: "wte", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 };
  expect(linesOf({ step: null, first: null, module: null, equalTo: 34, unlike: [{ which: "b", history, loss: null }] })).toEqual([
    "Equal in every bit up to step 34: the difference is not reproduced",
    "B differs from its recording: its history differs first at step 20, wte, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart (recorded, and now)",
  ]);
});

test("a place is told by step, tensor, token and component, with both values and how far they are apart", () => {
  const first = { step: 12_345, tensor: "wte.grad", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 };
  expect(recordPosition(first)).toBe("step 12,345, wte.grad, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart");
});

test("where numbers have no distance, none is told", () => {
  expect(both({ a: "NaN", b: 1, ulp: null })).toBe("NaN and 1");
  expect(both({ a: 1, b: 1.0078125, ulp: 1 })).toBe("1 and 1.0078125, 1 ULP apart");
});
