import { expect, test } from "vitest";
import { lifecycleAnalysis, observation } from "../../../../src/analysis/lifecycle/lifecycle.js";
import { memoryHistory } from "../memory-source.js";
import { observed } from "../scan/observed.js";

const one = 0x3f80;
/** Two bfloat16 tokens of two dims. Token 0 moves 1, then 2, then 1 cells along one axis; √2 of them are early. Token 1 stays. */
const states = [
  [one, one, one, one],
  [one + 1, one, one, one],
  [one + 3, one, one, one],
  [one + 4, one, one, one],
];
const history = memoryHistory("BF16", [4, 2, 2], new Uint8Array(Uint16Array.from(states.flat()).buffer));

test("the last step of each phase, 0 for none", () => {
  expect(observed(observation, history, 0, 4)).toEqual({
    lastEarly: Int32Array.of(2, 0),
    lastMidlife: Int32Array.of(2, 0),
    lastLate: Int32Array.of(3, 0),
  });
});

test("a history without a lattice has no phases", () => {
  const bytes = memoryHistory("U8", [2, 1, 1], Uint8Array.of(0, 9));
  expect(observed(observation, bytes, 0, 2).lastLate).toEqual(Int32Array.of(0));
});

test("ranges that follow each other tell what one tells, wherever the cut is", () => {
  for (const cut of [1, 2, 3]) {
    expect(observation.merge(observed(observation, history, 0, cut), observed(observation, history, cut, 4))).toEqual(observed(observation, history, 0, 4));
  }
});

test("a row a step, a column a phase", () => {
  const counts = { early: [1500, 0], midlife: [3, 3], late: [0, 0], frozen: [0, 1500] };
  expect(lifecycleAnalysis.print({ counts }, (state) => state)).toEqual([
    {
      head: ["step", "early", "midlife", "late", "frozen"],
      rows: [
        ["1", "1,500", "3", "0", "0"],
        ["2", "0", "3", "0", "1,500"],
      ],
    },
  ]);
});

test("a history of one state has no step", () => {
  expect(lifecycleAnalysis.print({ counts: { early: [], midlife: [], late: [], frozen: [] } }, (state) => state)).toEqual(["There are no steps."]);
});
