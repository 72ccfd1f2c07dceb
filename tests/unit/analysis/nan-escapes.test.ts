import { expect, test } from "vitest";
import { nanEscapes } from "../../../src/analysis/nan-escapes.js";
import { memoryHistory } from "./memory-source.js";

/** States of three tokens of one dimension. */
function historyOf(...states: number[][]) {
  return memoryHistory("F64", [states.length, 3, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));
}

function all(history: ReturnType<typeof historyOf>, escapes: readonly number[]): { counts: number[]; steps: number[] } {
  const steps: number[] = [];
  const generator = nanEscapes(history, escapes);
  for (;;) {
    const next = generator.next();
    if (next.done) return { counts: next.value, steps };
    steps.push(next.value);
  }
}

const nan = Number.NaN;

test("a token whose row became NaN has left its hole without moving away", () => {
  // Step 1: token 0 becomes NaN, token 1 and 2 part by moving.
  expect(all(historyOf([1, 1, 1], [nan, 2, 3]), [3]).counts).toEqual([1]);
  expect(all(historyOf([1, 1, 1], [2, 1, 1]), [1]).counts).toEqual([0]);
});

test("a token that was in no hole does not count", () => {
  expect(all(historyOf([1, 1, 9], [2, 1, nan]), [1]).counts).toEqual([0]);
});

test("states without escapes are not read", () => {
  expect(all(historyOf([1, 1, 1], [1, 1, 1], [nan, 1, 1]), [0, 1])).toEqual({ counts: [0, 1], steps: [2] });
});
