import { describe, expect, test } from "vitest";
import { hashRows, hashWords, rowsAtATime } from "../../../../src/analysis/census/row-hashes.js";
import { float64Matrix } from "../matrices.js";
import { memorySource } from "../memory-source.js";

/** Hashes of chosen rows, one text each, and what was read and told on the way. */
function hashed(values: readonly number[], rows: readonly number[], kernels: "wasm" | "plain") {
  const source = memorySource(float64Matrix(values.map((value) => [value])));
  const reads: string[] = [];
  const told: number[] = [];
  const read = (first: number, count: number, target: Uint8Array): void => {
    reads.push(`${first}+${count}`);
    source.read(first, count, target);
  };
  const work = hashRows(read, { dtype: "F64", columns: 1, rows: Int32Array.from(rows), kernels });
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return { hashes: rows.map((_, index) => step.value.slice(index * hashWords, (index + 1) * hashWords).join()), reads, told };
    told.push(step.value);
  }
}

test("a chunk stays in the cache, and holds one row at least", () => {
  expect(rowsAtATime("BF16", 64)).toBe((512 * 1024) / 128);
  expect(rowsAtATime("F64", 2 ** 20)).toBe(1);
});

describe.each(["wasm", "plain"] as const)("by the %s kernels", (kernels) => {
  test("equal rows have equal hashes, −0 is 0, NaN has none", () => {
    const { hashes } = hashed([1, 0, 1, -0, Number.NaN, 2], [0, 1, 2, 3, 4, 5], kernels);
    expect(hashes[0]).toBe(hashes[2]);
    expect(hashes[1]).toBe(hashes[3]);
    expect(hashes[4]).toBe("0,0");
    expect(new Set(hashes).size).toBe(4);
  });

  test("only chosen rows are read, those that follow each other at once; it tells how many are done", () => {
    const { hashes, reads, told } = hashed([3, 3, 4, 5, 3, 3], [0, 1, 4], kernels);
    expect(reads).toEqual(["0+2", "4+1"]);
    expect(told).toEqual([2, 3]);
    expect(new Set(hashes).size).toBe(1);
  });

  test("no rows have no hashes", () => {
    expect(hashed([1], [], kernels)).toEqual({ hashes: [], reads: [], told: [] });
  });
});
