import fc from "fast-check";
import { expect, test } from "vitest";
import { latticePlace, latticePoints } from "../../../src/analysis/lattice-points.js";
import { bfloat16Matrix } from "./matrices.js";

const bfloat16Of = (bits: number): number => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;

test("places are in the order of the values, with both zeros at 0", () => {
  const finiteBits = fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7fff) <= 0x7f80);
  fc.assert(
    fc.property(finiteBits, finiteBits, (a, b) => {
      expect(latticePlace(a) < latticePlace(b)).toBe(bfloat16Of(a) < bfloat16Of(b));
      expect(latticePlace(a) === latticePlace(b)).toBe(bfloat16Of(a) === bfloat16Of(b));
    }),
  );
  expect(latticePlace(0x8000)).toBeCloseTo(0, 15);
});

test("neighbours differ by 1, across an exponent and across 0 too", () => {
  expect(latticePlace(0x3f80) - latticePlace(0x3f7f)).toBe(1);
  expect(latticePlace(0x0001) - latticePlace(0x8001)).toBe(2);
});

test("equal rows are one point, at the first of them; a row with NaN is marked", () => {
  const { points, firstRows, hasNan } = latticePoints(
    bfloat16Matrix([
      [0x3f80, 0x0000],
      [0x3f80, 0x8000],
      [0x3f81, 0x0001],
      [0x7fc0, 0x0000],
    ]),
  );
  expect([...firstRows]).toEqual([0, 2, 3]);
  expect([...points].slice(0, 4)).toEqual([0x3f80, 0, 0x3f81, 1]);
  expect([...hasNan]).toEqual([0, 0, 1]);
});
