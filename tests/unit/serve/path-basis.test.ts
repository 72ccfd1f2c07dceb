import { expect, test } from "vitest";
import type { History } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { pathBasis } from "../../../src/serve/path-basis.js";

/** A history in float32 whose rows are given state by state. */
function historyOf(states: readonly (readonly (readonly number[])[])[]): History {
  const [first = []] = states;
  const [tokens, dims] = [first.length, first[0]?.length ?? 0];
  return {
    source: "test",
    dtype: "F32",
    states: states.length,
    tokens,
    dims,
    rowTokens: RowTokens.all(tokens),
    read(from, count, target) {
      target.set(new Uint8Array(Float32Array.from(states.slice(from, from + count).flat(2)).buffer));
    },
    close() {},
  };
}

test("points along a diagonal have one direction, the diagonal, and reach as far as the farthest", () => {
  const { directions, explained, mean, reach } = pathBasis(
    historyOf([
      [
        [1, 1],
        [-1, -1],
      ],
      [
        [3, 3],
        [-3, -3],
      ],
    ]),
  );
  expect([...mean]).toEqual([0, 0]);
  expect(Math.abs(directions[0] ?? 0)).toBeCloseTo(Math.SQRT1_2, 6);
  expect(directions[0]).toBeCloseTo(directions[1] ?? 0, 6);
  expect(explained[0]).toBeCloseTo(1, 12);
  expect(reach[0]).toBeCloseTo(3 * Math.SQRT2, 5);
  expect(reach[1]).toBeCloseTo(0, 5);
});

test("against a covariance by hand: variances 8 and 2 along the axes", () => {
  // Rows (±4, 0) and (0, ±2): sums of squares 32 and 8 over 4 rows.
  const { explained, directions } = pathBasis(
    historyOf([
      [
        [4, 0],
        [0, 2],
      ],
      [
        [-4, 0],
        [0, -2],
      ],
    ]),
  );
  expect(explained[0]).toBeCloseTo(0.8, 12);
  expect(explained[1]).toBeCloseTo(0.2, 12);
  expect(Math.abs(directions[0] ?? 0)).toBeCloseTo(1, 12);
});

test("rows that are not numbers are left out, and points that are all equal have a basis all the same", () => {
  const { mean, explained } = pathBasis(
    historyOf([
      [
        [1, 2],
        [Number.NaN, 0],
      ],
      [
        [1, 2],
        [Number.POSITIVE_INFINITY, 0],
      ],
    ]),
  );
  expect([...mean]).toEqual([1, 2]);
  expect(explained.every(Number.isFinite)).toBe(true);
});
