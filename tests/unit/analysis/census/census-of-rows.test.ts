import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { census } from "../../../../src/analysis/census/census.js";
import { censusOfRows, verifyClasses } from "../../../../src/analysis/census/census-of-rows.js";
import { Matrix, type RowSource } from "../../../../src/formats/matrix.js";
import { RowTokens } from "../../../../src/formats/row-tokens.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { float64Matrix } from "../matrices.js";
import { memorySource } from "../memory-source.js";

/** The classes of chosen rows of a column of numbers, and the rows that were read. */
function verified(values: readonly number[], rows: readonly number[], candidates: readonly number[], kernels: "wasm" | "plain") {
  const source = memorySource(float64Matrix(values.map((value) => [value])));
  const reads: number[] = [];
  const read = (first: number, count: number, target: Uint8Array): void => {
    for (let row = first; row < first + count; row++) reads.push(row);
    source.read(first, count, target);
  };
  const work = verifyClasses(read, { dtype: "F64", columns: 1, rows: Int32Array.from(rows), candidates: Int32Array.from(candidates), kernels });
  for (let step = work.next(); ; step = work.next()) if (step.done) return { classes: [...step.value], reads };
}

describe.each(["wasm", "plain"] as const)("by the %s kernels", (kernels) => {
  test("rows that share a hash and nothing else are told apart", () => {
    // All five hashes are the same: 7, 8, 7, 8, 9.
    expect(verified([7, 8, 7, 8, 9], [0, 1, 2, 3, 4], [0, 0, 0, 0, 0], kernels).classes).toEqual([0, 1, 0, 1, 4]);
  });

  test("rows with a hash of their own are not read again", () => {
    expect(verified([1, 2, 3, 2, 5], [0, 1, 2, 3, 4], [0, 1, 2, 1, 4], kernels)).toEqual({ classes: [0, 1, 2, 1, 4], reads: [1, 3] });
    expect(verified([1, 2], [0, 1], [0, 1], kernels)).toEqual({ classes: [0, 1], reads: [] });
  });

  test("−0 is 0", () => {
    expect(verified([0, -0], [0, 1], [0, 0], kernels).classes).toEqual([0, 0]);
  });

  test("classes are positions in the chosen rows, not rows", () => {
    expect(verified([1, 9, 4, 9, 9], [1, 2, 4], [0, 1, 0], kernels)).toEqual({ classes: [0, 1, 0], reads: [1, 4] });
  });

  test("no rows have no classes", () => {
    expect(verified([1], [], [], kernels)).toEqual({ classes: [], reads: [] });
  });
});

const directory = temporaryDirectory();
const columns = 32;
/** 256,000 rows of 32 bytes: 8 MB. */
const longBytes = Uint8Array.from({ length: 256_000 * columns }, (_, index) => ((index >> 5) * (index >> 11)) % 251);

test("−0 equals 0, infinities equal themselves, and a row with NaN equals nothing", async () => {
  const rows = [[0], [-0], [Number.NaN], [Number.NaN], [Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]];
  for (const kernels of ["wasm", "plain"] as const) {
    expect(await censusOfRows(memorySource(float64Matrix(rows)), undefined, { kernels })).toEqual({
      rows: 7,
      unique: 5,
      C: 2,
      P: 4,
      populations: [2, 2],
      members: [
        [0, 1],
        [4, 5],
      ],
    });
  }
});

test("where the rows are of chosen tokens, tokens are named and asked for, not rows", async () => {
  const source: RowSource = { ...memorySource(float64Matrix([[1], [2], [1]])), rowTokens: new RowTokens({ vocabulary: 100, ids: [7, 50, 99] }) };
  expect(await censusOfRows(source)).toMatchObject({ rows: 3, members: [[7, 99]] });
  expect(await censusOfRows(source, [99, 50])).toMatchObject({ rows: 2, unique: 2, C: 0 });
  await expect(censusOfRows(source, [0])).rejects.toMatchObject({ code: "USAGE" });
});

test("no rows have no holes", async () => {
  const nothing = { rows: 0, unique: 0, C: 0, P: 0, populations: [], members: [] };
  expect(await censusOfRows(memorySource(new Matrix("F32", [0, 3], new Uint8Array())))).toEqual(nothing);
  expect(await censusOfRows(memorySource(float64Matrix([[1], [1]])), [])).toEqual(nothing);
});

test("it ends when it is told to, and an error while reading reaches the caller", async () => {
  const source = memorySource(float64Matrix([[1], [1]]));
  await expect(censusOfRows(source, undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  const broken: RowSource = {
    ...source,
    read() {
      throw new Error("the disk is gone");
    },
  };
  await expect(censusOfRows(broken)).rejects.toThrow("the disk is gone");
});

test("chosen rows are read alone, and reported by their own numbers", async () => {
  const matrix = new Matrix("U8", [256, 8], longBytes.subarray(0, 2048));
  const rows = [3, 200, 4, 5, 90, 91, 7, 255];
  for (const kernels of ["wasm", "plain"] as const) {
    expect(await censusOfRows(memorySource(matrix), rows, { kernels })).toEqual(census(matrix, rows));
  }
  await expect(censusOfRows(memorySource(matrix), [256])).rejects.toMatchObject({ code: "USAGE" });
});

test("workers hash the rows of a plain file, and the census is the same", async () => {
  const raw = { path: join(directory, "rows"), offset: 0 };
  writeFileSync(raw.path, longBytes);
  const matrix = new Matrix("U8", [longBytes.length / columns, columns], longBytes);
  const expected = census(matrix);
  expect(expected.C).toBeGreaterThan(10);
  expect(await censusOfRows({ ...memorySource(matrix), raw }, undefined, { workers: 3 })).toEqual(expected);
});

test("groups of rows too large to be kept together are compared in turns, each row read twice in all", async () => {
  // 12 rows of 12 MB: groups {0, 4, 8}, {1, 5, 9} and so on, of which two fit into the memory for kept rows.
  const wide = 12 * 1024 * 1024;
  const reads: number[] = [];
  const source: RowSource = {
    source: "memory",
    dtype: "U8",
    rows: 12,
    columns: wide,
    read(first, count, target) {
      for (let row = 0; row < count; row++) {
        reads.push(first + row);
        target.subarray(row * wide, (row + 1) * wide).fill((first + row) % 4);
      }
    },
  };
  const { members } = await censusOfRows(source);
  expect(members).toEqual([
    [0, 4, 8],
    [1, 5, 9],
    [2, 6, 10],
    [3, 7, 11],
  ]);
  expect(reads.length).toBe(24);
});
