import { describe, expect, test } from "vitest";
import { verifyClasses } from "../../../../src/analysis/scan/verify-classes.js";
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
