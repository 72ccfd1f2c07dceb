import { expect, test } from "vitest";
import { lifecycleAnalysis } from "../../../../src/analysis/analyses/lifecycle.js";

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
  expect(lifecycleAnalysis.print({ counts: { early: [], midlife: [], late: [], frozen: [] } }, (state) => state)).toEqual(["There is no step."]);
});
