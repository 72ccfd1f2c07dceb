import { expect, test } from "vitest";
import { pathBasis, seenFrom, sharedBasis } from "../../../../src/analysis/geometry/path-basis.js";
import type { History } from "../../../../src/formats/history.js";
import { RowTokens } from "../../../../src/formats/row-tokens.js";

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

const all = { axes: 8, work: 1e9 };

test("points along a diagonal have one direction, the diagonal, and reach as far as the farthest", async () => {
  const { axes, explained, center, reach } = await pathBasis(
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
    all,
  );
  expect([...center]).toEqual([0, 0]);
  expect(axes[0]?.[0]).toBeCloseTo(Math.SQRT1_2, 12);
  expect(axes[0]?.[1]).toBeCloseTo(Math.SQRT1_2, 12);
  expect(explained[0]).toBeCloseTo(1, 12);
  expect(reach[0]).toBeCloseTo(3 * Math.SQRT2, 12);
  expect(reach[1]).toBeCloseTo(0, 12);
});

test("against a covariance by hand: variances 8 and 2 along the axes", async () => {
  // Rows (±4, 0) and (0, ±2): sums of squares 32 and 8 over 4 rows.
  const { explained, axes } = await pathBasis(
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
    all,
  );
  expect(explained[0]).toBeCloseTo(0.8, 12);
  expect(explained[1]).toBeCloseTo(0.2, 12);
  expect(axes[0]?.[0]).toBeCloseTo(1, 12);
});

test("rows that are not numbers are left out, and rows that are all equal have no direction", async () => {
  const basis = await pathBasis(
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
    all,
  );
  expect([...basis.center]).toEqual([1, 2]);
  expect(basis).toMatchObject({ axes: [], explained: [], reach: [] });
});

test("of many dimensions the first take part, the others are 0 in every direction", async () => {
  const { axes, center } = await pathBasis(historyOf([[[1, 0, 9]], [[-1, 0, -9]]]), { ...all, mostDims: 2 });
  expect([...center]).toEqual([0, 0, 0]);
  expect([...(axes[0] ?? [])]).toEqual([1, 0, 0]);
});

test("a figure's three directions are the first three of the page's, and a sample of the rows shows about the same", async () => {
  // Rows spread 8 : 4 : 2 : 1 along four axes, by whole cycles that have no product with each other.
  const rows = 64;
  const states = Array.from({ length: 40 }, (_, state) =>
    Array.from({ length: rows }, (_row, row) => [8, 4, 2, 1].map((size, dim) => size * Math.cos((2 * Math.PI * (dim + 1) * (row + state / 40)) / rows))),
  );
  const page = await pathBasis(historyOf(states), { axes: 8, work: 1e9 });
  const figure = await pathBasis(historyOf(states), { axes: 3, work: 1e9 });
  expect(page.axes).toHaveLength(4);
  expect(page.axes.slice(0, 3)).toEqual(figure.axes);
  expect(page.explained.map((share) => Number(share.toFixed(6)))).toEqual([64, 16, 4, 1].map((square) => Number((square / 85).toFixed(6))));
  const sampled = await pathBasis(historyOf(states), { axes: 3, work: 16 * 700 });
  for (const axis of [0, 1, 2]) expect(Math.abs(seenFrom({ ...page, center: new Float64Array(4) }, sampled.axes[axis] ?? [])[axis] ?? 0)).toBeGreaterThan(0.99);
});

test("a basis of two runs lies along what separates them, with both in reach; runs of other rows are refused by their sizes", async () => {
  const right = historyOf([
    [
      [3, 1],
      [5, -1],
    ],
  ]);
  const left = historyOf([
    [
      [-3, -1],
      [-5, 1],
    ],
  ]);
  const { axes, center, reach, explained } = await sharedBasis([right, left], all);
  expect([...center]).toEqual([0, 0]);
  // Sums of squares: x² = 68, y² = 4, xy = 3 − 5 + 3 − 5 = −4; the larger eigenvalue is 36 + √(32² + 4²).
  const eigenvalue = 36 + Math.sqrt(32 ** 2 + 4 ** 2);
  expect(explained[0]).toBeCloseTo(eigenvalue / 72, 12);
  const slope = (eigenvalue - 68) / -4;
  expect((axes[0]?.[1] ?? 0) / (axes[0]?.[0] ?? 0)).toBeCloseTo(slope, 12);
  expect(reach[0]).toBeCloseTo(Math.abs(5 - slope) / Math.hypot(1, slope), 12);
  await expect(sharedBasis([right, historyOf([[[1, 2]]])], all)).rejects.toThrow("one has 2 tokens × 2 dimensions, the other 1 tokens × 2 dimensions");
});
