import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { comparedStates, compareTraces, StepTrace, type TracedDifference } from "../../../src/compare/compare-traces.js";
import { python, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();
const printed = execFileSync(python, ["tests/unit/compare/traced_variants.py", directory], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const expected: { norms: object[] } = JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "");
const opened: StepTrace[] = [];
afterAll(() => {
  for (const trace of opened) trace[Symbol.dispose]();
});

function traceOf(name: string): StepTrace {
  const trace = new StepTrace(join(directory, name));
  opened.push(trace);
  return trace;
}

const plain = traceOf("plain");
const parting = (name: string) => compareTraces(plain, traceOf(name));
const states = (name: string) => comparedStates(plain, traceOf(name));

test("a training that is the same differs in nothing, in no state before or after the step", () => {
  expect(parting("same")).toEqual({ first: null, module: null });
  expect(states("same")).toEqual({ equalTo: 2, differsAt: null });
});

// Two trainings that differ in one thing, and what is named; nothing of a module where the step parts after all gradients.
test.each<[string, Partial<TracedDifference>]>([
  ["learning-rate", { quantity: "setting", module: "transformer.wte", tensor: "weight.lr", element: [], a: 1e-3, b: 2e-3 }],
  ["decay-norms", { quantity: "setting", module: "transformer.h.0.ln_1", tensor: "weight.weight_decay", element: [], a: 0.1, b: 0 }],
  ["clipping", { quantity: "clipped gradient", module: "transformer.wte", tensor: "weight", element: [0, 0], ulp: 128 }], // half of it
  ["noise", { quantity: "state after noise", module: "transformer.wte", tensor: "weight", element: [0, 0] }],
])("%s", (name, first) => {
  expect(parting(name)).toMatchObject({ first: { ...first, batch: null, reason: null }, module: null });
});

test("another norm is the first module with another output: its values are those of both formulas", () => {
  const { first, module } = parting("norm");
  const { element, a, b, ulp, ...place } = first ?? {};
  expect(place).toEqual({ quantity: "output", batch: 1, module: "transformer.h.0.ln_1", type: ["RMSNorm", "LayerNorm"], tensor: "", reason: null });
  expect(expected.norms).toContainEqual({ element, a, b, ulp });
  expect(module).toBe(first);
  expect(states("norm")).toEqual({ equalTo: 0, differsAt: 1 });
});

test("a dropout is the first module with another output: an element is dropped, or twice as large", () => {
  const { first } = parting("dropout");
  expect(first).toMatchObject({ quantity: "output", batch: 1, module: "transformer.h.0.attn.resid_dropout", type: ["Dropout", "Dropout"] });
  expect([0, "-0", 2 * Number(first?.a)]).toContain(first?.b);
});

test("the batch is named before the first module", () => {
  const [tokens, next] = [0, 1].map((at) => firstTokens(plain)[at]);
  const shift = parting("label-shift");
  expect(shift.first).toMatchObject({ quantity: "batch", batch: 1, module: "", tensor: "labels", element: [0, 0], a: next, b: tokens, ulp: null });
  expect(shift.module).toMatchObject({ quantity: "output", module: "", tensor: "loss", element: [] });
  const order = parting("data-order");
  expect(order.first).toMatchObject({ quantity: "batch", tensor: "input_ids", a: tokens });
  expect(order.module).toMatchObject({ quantity: "output", batch: 1, module: "transformer.wte" });
});

/** The tokens that the step begins with. */
function firstTokens(trace: StepTrace): number[] {
  const tokens = trace.tensors.find(({ tensor }) => tensor === "input_ids");
  if (!tokens) throw new Error("no batch");
  const bytes = trace.read(tokens, 0, 2);
  return [...new BigInt64Array(bytes.slice().buffer)].map(Number);
}

test("another beginning is told by the first weight, and by the first module that computes with it", () => {
  const { first, module } = parting("initial-state");
  expect(first).toMatchObject({ quantity: "state", batch: null, module: "transformer.wte", tensor: "weight", element: [0, 0] });
  expect(module).toMatchObject({ quantity: "output", batch: 1, module: "transformer.wte" });
  expect(states("initial-state")).toEqual({ equalTo: null, differsAt: 0 });
});

test("what has another dtype has no values to compare", () => {
  const { first, module } = parting("dtype");
  expect(first).toMatchObject({ quantity: "state", tensor: "weight", element: null, a: null, reason: "it is BF16 [128, 8] in a, F32 [128, 8] in b" });
  expect(module?.reason).toBe("it is BF16 [8, 16, 8] in a, F32 [8, 16, 8] in b");
});

test("another activation is told with both classes", () => {
  expect(parting("activation").first).toMatchObject({ quantity: "output", module: "transformer.h.0.mlp.act", type: ["NewGELUActivation", "ReLU"] });
});

test("a module that one training alone has is told with its class, and nothing after it is compared", () => {
  const copy = join(directory, "without-a-norm");
  cpSync(join(directory, "norm"), copy, { recursive: true });
  const lines = readFileSync(join(copy, "tensors.jsonl"), "utf8").split("\n");
  writeFileSync(join(copy, "tensors.jsonl"), lines.filter((line) => !line.includes('"module": "transformer.h.0.ln_1"')).join("\n"));
  const alone = { quantity: "output", module: "transformer.h.0.ln_1", element: null, a: null, b: null, ulp: null };
  const without = traceOf("without-a-norm");
  expect(compareTraces(plain, without).module).toMatchObject({ ...alone, type: ["RMSNorm", null], reason: "it is only in a" });
  expect(compareTraces(without, plain).module).toMatchObject({ ...alone, type: [null, "RMSNorm"], reason: "it is only in b" });
});

test("tensors that are computed in another order are told", () => {
  const copy = join(directory, "in-another-order");
  cpSync(join(directory, "plain"), copy, { recursive: true });
  const lines = readFileSync(join(copy, "tensors.jsonl"), "utf8").trimEnd().split("\n");
  writeFileSync(join(copy, "tensors.jsonl"), [...lines.slice(0, -1).slice(0, -1), lines.at(-1), lines.at(-2)].join("\n"));
  const last = JSON.parse(lines.at(-2) ?? "");
  expect(compareTraces(plain, traceOf("in-another-order")).first).toMatchObject({
    module: last.module,
    tensor: last.tensor,
    reason: "a and b compute it at different positions",
  });
});
