import { expect, test } from "vitest";
import { bytes, duration, shown } from "../../../web/src/figures.js";

test.each([
  [10_000, "10\u202f000"],
  [0.123456, "0.1235"],
  [1e-4, "1e-4"],
  [1.5e-6, "1.5e-6"],
  [null, "–"],
  [Number.NaN, "–"],
  ["text", "text"],
  [[1, 2], "[1,2]"],
])("%j is shown as %s", (value, expected) => expect(shown(value)).toBe(expected));

test("durations and sizes are in words that fit them", () => {
  expect([duration(42), duration(192), duration(3700), duration(null)]).toEqual(["42 s", "3 min 12 s", "1 h 1 min", "–"]);
  expect([bytes(301), bytes(126_000), bytes(7.7e9)]).toEqual(["301 B", "126 kB", "7.7 GB"]);
});
