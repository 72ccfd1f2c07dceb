import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { isDense, stridedRows } from "../../../../src/formats/torch/strided-rows.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const path = join(temporaryDirectory(), "numbers");
const numbers = Float32Array.from({ length: 60 }, (_, index) => index / 4);
writeFileSync(path, Buffer.concat([Buffer.alloc(8), Buffer.from(numbers.buffer)]));

/** Rows of a view of the numbers, which begin at byte 8. */
function rowsOf(shape: readonly number[], strides: readonly number[], first: number, count: number): number[] {
  const file = new FileBytes(path);
  try {
    const rows = stridedRows(file, "view", { dtype: "F32", shape, strides, offset: 8 });
    const target = new Uint8Array(count * rows.columns * 4);
    rows.read(first, count, target);
    return [...new Float32Array(target.buffer)];
  } finally {
    file.close();
  }
}

const views: [string, readonly number[], readonly number[]][] = [
  ["a transposed matrix", [6, 10], [1, 6]],
  ["every second column", [10, 3], [6, 2]],
  ["one row over and over", [5, 6], [0, 1]],
  ["windows that overlap", [20, 5], [2, 1]],
  ["three dimensions, two of them exchanged", [4, 3, 5], [5, 20, 1]],
  ["no rows", [0, 6], [6, 1]],
];

test.each(views)("%s is what torch makes of it, as a whole and in part", (_, shape, strides) => {
  const program = `
import json, sys, torch
shape, strides = json.loads(sys.argv[1])
view = torch.as_strided(torch.arange(60, dtype=torch.float32) / 4, shape, strides)
print(json.dumps([view.reshape(-1, shape[-1]).tolist(), view.is_contiguous()]))`;
  const [rows, isContiguous] = expectedFrom<[number[][], boolean]>(program, JSON.stringify([shape, strides]));
  expect(rowsOf(shape, strides, 0, rows.length)).toEqual(rows.flat());
  if (rows.length > 3) expect(rowsOf(shape, strides, 2, 2)).toEqual(rows.slice(2, 4).flat());
  if (rows.length > 0) expect(isDense(shape, strides)).toBe(isContiguous);
});

test("a dimension of one element may have any stride", () => {
  expect(isDense([3, 1, 4], [4, 99, 1])).toBe(true);
  expect(isDense([3, 4], [5, 1])).toBe(false);
});

test("a view over more memory than may be held is refused with the remedy", () => {
  const file = new FileBytes(path);
  const layout = { dtype: "F32", shape: [2, 2], strides: [2 ** 27, 1], offset: 8 } as const;
  expect(() => stridedRows(file, "wide", layout)).toThrow(/tensor "wide" of .*numbers is a view over 536870920 bytes; .*contiguous\(\)/);
  file.close();
});
