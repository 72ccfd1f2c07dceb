import { expect, test } from "vitest";
import { bfloat16Centroid } from "../../../src/analysis/bfloat16-centroid.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { expectedFrom } from "../formats/reference-python.js";
import { bfloat16Matrix } from "./matrices.js";

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
