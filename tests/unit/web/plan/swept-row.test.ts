import { expect, test } from "vitest";
import { type SweptRow, scaleOf } from "../../../../web/src/plan/swept-row.js";

const rows = (values: readonly (string | number)[]): SweptRow[] => values.map((value, at) => ({ id: String(at), run: null, name: "", values: { value } }));

test("numbers lie by size, and by their logarithm where they span a power of ten", () => {
  expect(scaleOf(rows([1, 2, 5]), "value").place(2)).toBeCloseTo(0.25, 12);
  expect(scaleOf(rows([1e-6, 1e-3]), "value").place(Math.sqrt(1e-9))).toBeCloseTo(0.5, 12);
});

test("words lie in their order, a single value in the middle, and zero is no reason for infinity", () => {
  const { place, ticks } = scaleOf(rows(["b", "a", "c"]), "value");
  expect(ticks).toEqual(["a", "b", "c"]);
  expect([place("a"), place("b"), place("c")]).toEqual([0, 0.5, 1]);
  expect(scaleOf(rows([7, 7]), "value").place(7)).toBe(0.5);
  expect(scaleOf(rows([0, 1000]), "value").place(500)).toBe(0.5);
});
