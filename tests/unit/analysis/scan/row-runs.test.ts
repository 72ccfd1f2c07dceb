import { expect, test } from "vitest";
import { rowRuns } from "../../../../src/analysis/scan/row-runs.js";

test("rows that follow each other are one run; a gap ends it", () => {
  expect([...rowRuns([0, 1, 2, 5, 7, 8], 10)]).toEqual([
    { position: 0, firstRow: 0, count: 3 },
    { position: 3, firstRow: 5, count: 1 },
    { position: 4, firstRow: 7, count: 2 },
  ]);
});

test("no run is longer than the limit, and each begins where the last ended", () => {
  expect([...rowRuns(Int32Array.of(4, 5, 6, 7, 8), 2)]).toEqual([
    { position: 0, firstRow: 4, count: 2 },
    { position: 2, firstRow: 6, count: 2 },
    { position: 4, firstRow: 8, count: 1 },
  ]);
});

test("no rows are no run", () => {
  expect([...rowRuns([], 3)]).toEqual([]);
});
