import { expect, test } from "vitest";
import { compareHistories } from "../../../src/analysis/compare-histories.js";
import type { History } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { memoryHistory } from "./memory-source.js";

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
