import { expect, test } from "vitest";
import { compareHistories, differingElement, ulpDistance } from "../../../src/analysis/compare-histories.js";
import type { History } from "../../../src/formats/history.js";
import type { Dtype } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { expectedFrom } from "../formats/reference-python.js";
import { memoryHistory } from "./memory-source.js";

/** Pairs of elements as bytes in hex, and how many calls of `nextafter` lead from one to the other, as NumPy and torch take them. */
const program = `
import json, numpy as np, torch
rng = np.random.default_rng(3)
cases = []
def add(dtype, a, b, steps): cases.append([dtype, a.tobytes().hex(), b.tobytes().hex(), steps])
for dtype, name in (("F16", np.float16), ("F32", np.float32), ("F64", np.float64)):
    biggest = np.finfo(name).max
    for start in [0.0, -0.0, 1.0, -1.0, 65504.0, np.finfo(name).smallest_subnormal, *rng.normal(size=20)]:
        a = b = name(start)
        for steps in range(1, 6):
            b = np.nextafter(b, name(-np.inf) if start > 0 else name(np.inf))
            add(dtype, a, b, steps)
            add(dtype, b, a, steps)
    add(dtype, name(0.0), name(-0.0), 0)
    add(dtype, biggest, name(np.inf), 1)
    add(dtype, -biggest, name(-np.inf), 1)
    add(dtype, name(np.nan), name(1), None)
    add(dtype, name(np.nan), name(np.nan), None)
# bfloat16 is what NumPy lacks; torch steps through it.
infinity = torch.tensor(float("inf"), dtype=torch.bfloat16)
bits = lambda value: value.view(torch.int16).numpy()
for start in [0.0, -0.0, 1.0, -1.0, 1e-40, *rng.normal(size=20)]:
    a = b = torch.tensor(start, dtype=torch.bfloat16)
    for steps in range(1, 6):
        b = torch.nextafter(b, -infinity if start > 0 else infinity)
        add("BF16", bits(a), bits(b), steps)
add("BF16", bits(torch.tensor(0.0, dtype=torch.bfloat16)), bits(torch.tensor(-0.0, dtype=torch.bfloat16)), 0)
add("BF16", bits(torch.tensor(float("nan"), dtype=torch.bfloat16)), bits(a), None)
# From -x to x there are twice as many steps as x has ordinals.
for dtype, name, integer in (("F16", np.float16, np.int16), ("F32", np.float32, np.int32)):
    for value in rng.normal(size=10).astype(name):
        add(dtype, value, -value, 2 * int(np.abs(value).view(integer)))
print(json.dumps(cases))`;

test("it counts the steps that nextafter takes, over zero too; NaN is at no distance", () => {
  const cases = expectedFrom<[Dtype, string, string, number | null][]>(program);
  const wrong = cases.filter(([dtype, a, b, steps]) => ulpDistance(dtype, Buffer.from(a, "hex"), Buffer.from(b, "hex")) !== steps);
  expect(cases.length).toBeGreaterThan(700);
  expect(wrong).toEqual([]);
});

test("a dtype without floats has no ULP", () => {
  expect(ulpDistance("I32", Buffer.from([1, 0, 0, 0]), Buffer.from([2, 0, 0, 0]))).toBeNull();
});

const bytes = (numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

test("the first element of other bits is told with both values", () => {
  expect(differingElement("F32", bytes([1, 2, 3, 4]), bytes([1, 2, 3.5, 5]))).toEqual({ index: 2, a: 3, b: 3.5, ulp: 2 ** 21 });
  expect(differingElement("F32", bytes([1, 2]), bytes([1, 2]))).toBeUndefined();
});

test("−0 differs from 0 at no distance, and what JSON lacks is told as text", () => {
  expect(differingElement("F32", bytes([0]), bytes([-0]))).toEqual({ index: 0, a: 0, b: "-0", ulp: 0 });
  expect(differingElement("F32", bytes([Number.NaN]), bytes([Number.NEGATIVE_INFINITY]))).toEqual({ index: 0, a: "NaN", b: "-Infinity", ulp: null });
});

test("two NaN of other bits differ, and equal bits do not", () => {
  const nan = new Uint8Array(Uint16Array.of(0x7fc0, 0x7fc1).buffer);
  expect(differingElement("BF16", nan.subarray(0, 2), nan.subarray(2))).toEqual({ index: 0, a: "NaN", b: "NaN", ulp: null });
  expect(differingElement("BF16", nan.subarray(0, 2), nan.subarray(0, 2))).toBeUndefined();
});

const [tokens, dims] = [4, 3];

/** A history whose numbers are all different, with what is changed in it. */
function history(states: number, changes: Partial<History> = {}, change: (numbers: Float32Array) => void = () => undefined): History {
  const numbers = Float32Array.from({ length: states * tokens * dims }, (_, index) => index + 1);
  change(numbers);
  return { ...memoryHistory("F32", [states, tokens, dims], new Uint8Array(numbers.buffer)), ...changes };
}

const at = (state: number, token: number, component: number) => (state * tokens + token) * dims + component;

test("equal histories are equal to their last step", async () => {
  expect(await compareHistories(history(5), history(5))).toEqual({ equal: true, first: null, equalTo: 4, reason: null });
});

test("the first difference is told with step, token, component, both values and distance", async () => {
  const other = history(5, {}, (numbers) => {
    numbers[at(4, 0, 0)] = 0;
    numbers[at(3, 2, 1)] = 44.5; // 44 before: half a unit is 2^17 steps of 2^-18
  });
  const first = { step: 3, token: 2, component: 1, a: 44, b: 44.5, ulp: 2 ** 17 };
  expect(await compareHistories(history(5), other)).toEqual({ equal: false, first, equalTo: 2, reason: null });
  expect(await compareHistories(history(5), other, { after: 3 })).toMatchObject({ first: { step: 4, token: 0 } });
});

test("a history that ends earlier is not equal, and how far both are is told", async () => {
  expect(await compareHistories(history(3), history(5))).toEqual({ equal: false, first: null, equalTo: 2, reason: "a ends at step 2, b at step 4" });
});

test("states are compared by the steps that they belong to", async () => {
  const every = history(5);
  const second = new Uint8Array(3 * tokens * dims * 4);
  for (const state of [0, 2, 4]) every.read(state, 1, second.subarray((state / 2) * tokens * dims * 4, (state / 2 + 1) * tokens * dims * 4));
  const thinned = { ...memoryHistory("F32", [3, tokens, dims], second), steps: [0, 2, 4] };
  expect(await compareHistories(every, thinned)).toEqual({ equal: true, first: null, equalTo: 4, reason: null });
  new Float32Array(second.buffer)[at(1, 3, 2)] = 7;
  expect((await compareHistories(every, thinned)).first).toMatchObject({ step: 2, token: 3, component: 2, b: 7 });
});

test("rows are compared by the tokens that they are", async () => {
  const whole = history(2);
  const rows = new Float32Array(2 * 2 * dims);
  const values = new Float32Array(2 * tokens * dims);
  whole.read(0, 2, new Uint8Array(values.buffer));
  for (const state of [0, 1]) {
    rows.set(values.subarray(at(state, 1, 0), at(state, 2, 0)), state * 2 * dims);
    rows.set(values.subarray(at(state, 3, 0), at(state, 4, 0)), state * 2 * dims + dims);
  }
  const chosen = (): History => ({
    ...memoryHistory("F32", [2, 2, dims], new Uint8Array(rows.buffer)),
    rowTokens: new RowTokens({ vocabulary: tokens, ids: [1, 3] }),
  });
  expect(await compareHistories(whole, chosen())).toMatchObject({ equal: true });
  rows[2 * dims + dims] = -1; // state 1, token 3, component 0
  expect((await compareHistories(whole, chosen())).first).toMatchObject({ step: 1, token: 3, component: 0, a: 22, b: -1 });
  const others = { ...chosen(), rowTokens: new RowTokens({ vocabulary: tokens, ids: [0, 2] }) };
  expect(await compareHistories(chosen(), others)).toMatchObject({ equal: false, reason: "no token was recorded in both" });
});

test.each([
  ["another dtype", { dtype: "I32" as const }, "a is F32, b is I32"],
  ["another width", { dims: 2 }, "a has 3 components, b has 2"],
  ["other steps", { steps: [10, 11, 12, 13, 14] }, "no step was recorded in both"],
])("%s cannot be compared", async (_, changes, reason) => {
  expect(await compareHistories(history(5), history(5, changes))).toEqual({ equal: false, first: null, equalTo: null, reason });
});

test("a history of many chunks is read in pieces of a megabyte, once", async () => {
  const states = 40;
  const stateBytes = 256 * 256 * 4;
  const reads: number[] = [];
  const large = (flipped?: number): History => ({
    ...memoryHistory("F32", [states, 256, 256], new Uint8Array(0)),
    read: (first, count, target) => {
      reads.push(target.byteLength);
      if (flipped !== undefined && first <= flipped && flipped < first + count) target[(flipped - first) * stateBytes + 4] = 1;
    },
  });
  expect(await compareHistories(large(), large(37))).toMatchObject({ equal: false, equalTo: 36, first: { step: 37, token: 0, component: 1, a: 0 } });
  expect(Math.max(...reads)).toBe(2 ** 20);
  expect(reads.reduce((sum, bytes) => sum + bytes, 0)).toBe(2 * states * stateBytes);
});

test("it can be stopped", async () => {
  await expect(compareHistories(history(5), history(5), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
