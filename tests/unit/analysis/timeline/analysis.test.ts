import { expect, test } from "vitest";
import { timelineAnalysis } from "../../../../src/analysis/timeline/analysis.js";

const timeline = {
  unique: [1, 1200],
  C: [1, 2],
  P: [1300, 101],
  largest: [1300, 60],
  fissions: [1],
  splits: [1],
  merges: [0],
  joins: [0],
  escapes: [1199],
  captures: [0],
  firstStateWithTwoHoles: 1,
};

test("states are a table with the steps that they are of, events are summed up", () => {
  expect(timelineAnalysis.print(timeline, (state) => 1000 * state)).toEqual([
    {
      head: ["step", "unique", "C", "P", "largest"],
      rows: [
        ["0", "1", "1", "1,300", "1,300"],
        ["1,000", "1,200", "2", "101", "60"],
      ],
    },
    "1 fission, 1 split, 0 merges, 0 joins, 1,199 escapes, 0 captures",
    "Two black holes or more: first at step 1,000",
  ]);
});

test("escapes of rows that became NaN are told apart, and a second black hole may never be", () => {
  const lines = timelineAnalysis.print({ ...timeline, nanEscapes: [1100], firstStateWithTwoHoles: null }, (state) => state);
  expect(lines[1]).toContain("1,199 escapes (1,100 of rows that became NaN), 0 captures");
  expect(lines[2]).toBe("Two black holes or more: never");
});
