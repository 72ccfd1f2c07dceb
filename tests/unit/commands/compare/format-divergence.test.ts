import { expect, test } from "vitest";
import { divergenceLines } from "../../../../src/commands/compare/format-divergence.js";
import type { TracedDifference } from "../../../../src/compare/compare-traces.js";
import type { Divergence } from "../../../../src/compare/divergence.js";

const output: TracedDifference = {
  ...{ quantity: "output", batch: 1, module: "transformer.h.0.ln_1", type: ["RMSNorm", "LayerNorm"], tensor: "" },
  ...{ element: [0, 3, 5], a: 0.5, b: 0.501953125, ulp: 1, reason: null },
};
const divergence: Divergence = { a: "/one", b: "/two", until: 34, equalTo: 32, step: 33, first: output, module: output, unlike: [] };
const linesOf = (changes: Partial<Divergence>) => divergenceLines({ ...divergence, ...changes }, ["A", "B"]);

test("the step, the module, its classes and both values are told", () => {
  expect(linesOf({})).toEqual([
    "Equal in every weight and moment to step 32. The first difference of step 33: the output of transformer.h.0.ln_1 (RMSNorm in A, LayerNorm in B), batch 1, element [0, 3, 5]: 0.5 and 0.501953125, 1 ULP apart",
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
  const alone: TracedDifference = { ...output, type: ["RMSNorm", null], element: null, a: null, b: null, ulp: null, reason: "it is in a alone" };
  expect(linesOf({ first: alone, module: alone, equalTo: null })[0]).toMatch(
    /^They begin differently\. .* \(RMSNorm in A, nothing in B\), batch 1: it is in A alone$/,
  );
});

test("a difference that is not reproduced is said to be none, and which recording is another one", () => {
  const history = { step: 20, tensor: "wte", token: 17, component: 5, a: 0.25, b: 0.251953125, ulp: 2 };
  expect(linesOf({ step: null, first: null, module: null, equalTo: 34, unlike: [{ which: "b", history, loss: null }] })).toEqual([
    "They came out the same in every bit to step 34: the difference is not reproduced",
    "B did not come out as it was recorded: its history differs first at step 20, wte, token 17, component 5: 0.25 and 0.251953125, 2 ULP apart (recorded, and today)",
  ]);
});
