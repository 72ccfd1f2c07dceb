import { expect, test } from "vitest";
import { joinedSeries } from "../../../../src/analysis/scan/scan-history.js";

test("the second series follows the first", () => {
  expect(joinedSeries(Float64Array.of(1, Number.NaN), Float64Array.of(3))).toEqual(Float64Array.of(1, Number.NaN, 3));
  expect(joinedSeries(new Float64Array(0), Float64Array.of(3))).toEqual(Float64Array.of(3));
});
