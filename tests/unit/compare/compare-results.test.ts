import { expect, test } from "vitest";
import { compareResults } from "../../../src/compare/compare-results.js";
import type { TrainResult } from "../../../src/runner/train-result.js";

const result = (seconds: number, status: TrainResult["status"] = "completed") => ({ seconds, status }) as TrainResult;
const measures = { seconds: ({ seconds }: TrainResult) => seconds, status: ({ status }: TrainResult) => status };

test("measures stand side by side with their distance from the first run", () => {
  expect(compareResults([result(4), result(5), result(3)], measures)[0]).toEqual({
    path: "seconds",
    values: [4, 5, 3],
    difference: [0, 1, -1],
    relative: [0, 0.25, -0.25],
  });
});

test("text has no distance, and nothing is a part of zero but zero", () => {
  const [seconds, status] = compareResults([result(0), result(0), result(2, "failed")], measures);
  expect(seconds).toMatchObject({ difference: [0, 0, 2], relative: [0, 0, null] });
  expect(status).toEqual({ path: "status", values: ["completed", "completed", "failed"], difference: [null, null, null], relative: [null, null, null] });
});
