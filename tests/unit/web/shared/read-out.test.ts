import { expect, test } from "vitest";
import { readOut } from "../../../../web/shared/read-out.js";

const line = { x: [2, 5, 9, 12], y: [20, null, 90, 120] };

test("a read-out is the last recorded value up to the step, with the step of its record", () => {
  expect([1, 2, 4, 5, 8, 9, 11, 12, 400].map((step) => readOut(line, step))).toEqual([
    undefined,
    { step: 2, value: 20 },
    { step: 2, value: 20 },
    { step: 2, value: 20 },
    { step: 2, value: 20 },
    { step: 9, value: 90 },
    { step: 9, value: 90 },
    { step: 12, value: 120 },
    { step: 12, value: 120 },
  ]);
  expect(readOut({ x: [], y: [] }, 3)).toBeUndefined();
});
