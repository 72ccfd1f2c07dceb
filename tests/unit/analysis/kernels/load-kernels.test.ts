import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { kernelKind, loadKernels } from "../../../../src/analysis/kernels/load-kernels.js";
import { dtypes } from "../../../../src/formats/matrix.js";

test("the embedded kernels are what their sources compile to", () => {
  expect(() => execFileSync(process.execPath, ["scripts/build-kernels.mjs", "--check"], { stdio: "pipe" })).not.toThrow();
});

test("every dtype is read in some way, and only those without NaN as integers", () => {
  const integers = dtypes.filter((dtype) => kernelKind(dtype) === 0);
  expect(integers).toEqual(["I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL"]);
  expect(new Set(dtypes.map(kernelKind)).size).toBe(1 + dtypes.length - integers.length);
});

test("two instances have memory of their own", () => {
  const [one, other] = [loadKernels(), loadKernels()];
  const [at, otherAt] = [one.configureRows(4, 1), other.configureRows(4, 1)];
  new Uint8Array(other.memory.buffer).set([9, 9, 9, 9], otherAt);
  new Uint8Array(one.memory.buffer).set([1, 2, 3, 4], at);
  expect([...new Uint8Array(other.memory.buffer, otherAt, 4)]).toEqual([9, 9, 9, 9]);
});

test("more than 4 GiB are refused by the address 0, and the instance goes on with less", () => {
  const kernels = loadKernels();
  expect(kernels.configure(kernelKind("BF16"), 2 ** 20, 2 ** 12, 1)).toBe(0);
  expect(kernels.configureRows(2 ** 20, 2 ** 12)).toBe(0);
  expect(kernels.configureRows(8, 2)).toBeGreaterThan(0);
});
