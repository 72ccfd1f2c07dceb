import { expect, test } from "vitest";
import { soundness } from "../../../src/analysis/soundness.js";
import { memoryHistory } from "./memory-source.js";

const historyOf = (...states: number[][]) => memoryHistory("F64", [states.length, 2, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));
const nan = Number.NaN;

test.each([
  [
    "moves",
    [
      [1, 2],
      [1, 3],
    ],
    [],
  ],
  [
    "never moves",
    [
      [1, 2],
      [1, 2],
    ],
    ["never-moved"],
  ],
  ["is one state", [[1, 2]], ["never-moved"]],
  [
    "is all zero",
    [
      [0, -0],
      [-0, 0],
    ],
    ["all-zero", "never-moved"],
  ],
  [
    "is nowhere finite",
    [
      [nan, nan],
      [nan, Number.POSITIVE_INFINITY],
    ],
    ["nothing-finite"],
  ],
])("a history that %s", async (_, states, degenerate) => {
  expect((await soundness(historyOf(...states))).degenerate).toEqual(expect.arrayContaining(degenerate));
  if (degenerate.length === 0) expect((await soundness(historyOf(...states))).degenerate).toEqual([]);
});

test("tokens that were not finite in some state are named, though they are finite at the end", async () => {
  expect((await soundness(historyOf([1, 2], [nan, 2], [1, 3]))).nonfiniteTokens).toEqual([0]);
});
