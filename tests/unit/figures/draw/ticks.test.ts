import { expect, test } from "vitest";
import { axisTicks } from "../../../../src/figures/draw/extent.js";
import type { Axis } from "../../../../src/figures/figure.js";

const axis = (changes: Partial<Axis>): Axis => ({ label: "", unit: null, scale: "linear", zero: false, domain: null, ticks: null, ...changes });
const logAt = (low: number, high: number, room = 10) => axisTicks(axis({ scale: "log" }), [low, high], room)?.at;
const symlogAt = (low: number, high: number, room = 10) => axisTicks(axis({ scale: "symlog" }), [low, high], room)?.at;

test("a linear axis is left to the drawing library", () => {
  expect(axisTicks(axis({}), [0, 1], 5)).toBeUndefined();
});

test("ticks that an axis has are its own, with their texts; there is none for another place", () => {
  const own = axisTicks(
    axis({
      ticks: [
        { at: 1, text: "one" },
        { at: 5, text: "five" },
      ],
      scale: "log",
    }),
    [1, 1e6],
    5,
  );
  expect(own?.at).toEqual([1, 5]);
  expect([1, 5, 2].map((value) => own?.text(value))).toEqual(["one", "five", ""]);
});

test("three decades or more have the powers of ten inside, both ends included", () => {
  expect(logAt(1, 1000)).toEqual([1, 10, 100, 1000]);
  expect(logAt(0.5, 2000)).toEqual([1, 10, 100, 1000]);
});

test("where there are more powers than room, those that a whole number divides stay", () => {
  // Nine powers from −6 to 2 in four places: every third.
  expect(logAt(1e-6, 100, 4)).toEqual([1e-6, 1e-3, 1]);
});

test("one or two powers get simple multiples beside them, and none outside", () => {
  expect(logAt(1, 12)).toEqual([1, 3, 10]);
  expect(logAt(2, 6)).toEqual([2, 3, 5]);
  expect(logAt(30, 90)).toEqual([30, 50, 70]);
});

test("a symlog axis has 0, powers and their triples, and its last value instead of those close below", () => {
  expect(symlogAt(0, 100)).toEqual([0, 1, 3, 10, 30, 100]);
  expect(symlogAt(0, 40)).toEqual([0, 1, 3, 10, 40]); // 30 is above 0.6 × 40
});

test("with little room the triples go", () => {
  expect(symlogAt(0, 100, 4)).toEqual([0, 1, 10, 100]);
});

test.each([
  [1, "1"],
  [0.01, "0.01"],
  [50_000, "50,000"],
  [100_000, "10⁵"],
  [3e-6, "3 × 10⁻⁶"],
  [1e-12, "10⁻¹²"],
  [0.001, "0.001"],
])("on a logarithmic axis %d is written %s", (value, text) => {
  expect(axisTicks(axis({ scale: "log" }), [1, 10], 5)?.text(value)).toBe(text);
});
