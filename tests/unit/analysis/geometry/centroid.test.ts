import { expect, test } from "vitest";
import { bfloat16Centroid, centroid, centroidNorm, euclideanNorm } from "../../../../src/analysis/geometry/centroid.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { bfloat16Matrix, float64Matrix } from "../matrices.js";

test("the norm is √Σx², whatever the signs and the kind of array", () => {
  expect(euclideanNorm([2, -3, 6])).toBe(7);
  expect(euclideanNorm(Float32Array.of(-0, 4))).toBe(4);
});

test("the norm of nothing is 0", () => {
  expect(euclideanNorm([])).toBe(0);
});

test("sums are in float64, also of float32 numbers", () => {
  // 2^12 ones beside 2^24: in float32, each would be lost when it is added.
  const vector = new Float32Array(1 + 2 ** 12).fill(1);
  vector[0] = 2 ** 12;
  expect(euclideanNorm(vector)).toBe(Math.sqrt(2 ** 24 + 2 ** 12));
});

test("NaN makes it NaN, and infinity infinite", () => {
  expect(euclideanNorm([1, Number.NaN])).toBeNaN();
  expect(euclideanNorm([1, Number.NEGATIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
});

test("the centroid is the mean of each column", () => {
  const matrix = float64Matrix([
    [1, 6],
    [5, 2],
  ]); // columns: (1 + 5)/2 = 3, (6 + 2)/2 = 4
  expect([...centroid(matrix)]).toEqual([3, 4]);
});

test("more rows than are decoded at a time are all counted", () => {
  const rows = Array.from({ length: 1000 }, (_, row) => [row]);
  expect([...centroid(float64Matrix(rows))]).toEqual([499.5]);
});

test("a column with NaN has no mean, and the others keep theirs", () => {
  expect([
    ...centroid(
      float64Matrix([
        [Number.NaN, 1],
        [1, 3],
      ]),
    ),
  ]).toEqual([Number.NaN, 2]);
});

test("without rows there is no mean", () => {
  expect([...centroid(new Matrix("F32", [0, 2], new Uint8Array()))]).toEqual([Number.NaN, Number.NaN]);
});

test("the norm is of the mean row, not the mean of norms", () => {
  // Columns: (1 + 5)/2 = 3, (6 + 2)/2 = 4.
  expect(
    centroidNorm(
      float64Matrix([
        [1, 6],
        [5, 2],
      ]),
    ),
  ).toBe(5);
  expect(centroidNorm(float64Matrix([[1], [-1]]))).toBe(0);
});

test("bfloat16 rows are averaged in float64: the norm is finer than their own dtype", () => {
  // 0.75 and the bfloat16 after it, 0.75 + 2^-8: their mean lies between two bfloat16 numbers.
  expect(centroidNorm(bfloat16Matrix([[0x3f40], [0x3f41]]))).toBe(0.75 + 2 ** -9);
});

test("a matrix without rows has no centroid", () => {
  expect(centroidNorm(new Matrix("F32", [0, 2], new Uint8Array()))).toBeNaN();
});

test("what is no matrix is refused with its name", () => {
  expect(() => centroidNorm([[1]] as never)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("matrix") }));
});

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number[];
  readonly mean: number[];
}

/** Heights on both sides of where torch's accumulators are emptied into the next: 16, 16², and beyond 2^16 rows with longer steps. */
const cases = expectedFrom<Case[]>(`
import json, torch
torch.set_num_threads(1)
generator = torch.Generator().manual_seed(4)
out = []
for rows, columns in [(1, 3), (15, 5), (16, 5), (17, 5), (255, 4), (256, 4), (257, 4), (4097, 2), (65537, 1), (131100, 1)]:
    matrix = (torch.randn(rows, columns, generator=generator) * 0.1 + 0.3).bfloat16()
    out.append({"rows": rows, "columns": columns, "bits": (matrix.view(torch.int16).int() & 0xffff).flatten().tolist(), "mean": matrix.mean(dim=0).tolist()})
print(json.dumps(out))`);

test.each(cases.map((one) => [one.rows, one] as const))("the mean of %d rows is torch's in every bit", (_, { rows, columns, bits, mean }) => {
  const matrix = new Matrix("BF16", [rows, columns], new Uint8Array(Uint16Array.from(bits).buffer));
  expect([...bfloat16Centroid(matrix)]).toEqual(mean);
});

test("rows of another dtype are rounded first, ties to even", () => {
  // 1 + 2^-8 lies in the middle of 1 and 1 + 2^-7, 1 + 3·2^-8 in the middle of 1 + 2^-7 and 1 + 2^-6.
  const float32 = new Matrix("F32", [1, 2], new Uint8Array(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8).buffer));
  expect([...bfloat16Centroid(float32)]).toEqual([1, 1 + 2 ** -6]);
});

test("NaN stays in its column; without rows there is no mean", () => {
  expect([
    ...bfloat16Centroid(
      bfloat16Matrix([
        [0x7fc0, 0x3f80],
        [0x3f80, 0x4040],
      ]),
    ),
  ]).toEqual([Number.NaN, 2]);
  expect([...bfloat16Centroid(new Matrix("BF16", [0, 1], new Uint8Array()))]).toEqual([Number.NaN]);
});
