import { expect, test } from "vitest";
import { differingElement } from "../../../src/analysis/differing-element.js";

const bytes = (numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

test("the first element of other bits is told with both values", () => {
  expect(differingElement("F32", bytes([1, 2, 3, 4]), bytes([1, 2, 3.5, 5]))).toEqual({ index: 2, a: 3, b: 3.5, ulp: 2 ** 21 });
  expect(differingElement("F32", bytes([1, 2]), bytes([1, 2]))).toBeUndefined();
});

test("−0 differs from 0 at no distance, and what JSON lacks is told as text", () => {
  expect(differingElement("F32", bytes([0]), bytes([-0]))).toEqual({ index: 0, a: 0, b: "-0", ulp: 0 });
  expect(differingElement("F32", bytes([Number.NaN]), bytes([Number.NEGATIVE_INFINITY]))).toEqual({ index: 0, a: "NaN", b: "-Infinity", ulp: null });
});

test("two NaN of other bits differ, and equal bits do not", () => {
  const nan = new Uint8Array(Uint16Array.of(0x7fc0, 0x7fc1).buffer);
  expect(differingElement("BF16", nan.subarray(0, 2), nan.subarray(2))).toEqual({ index: 0, a: "NaN", b: "NaN", ulp: null });
  expect(differingElement("BF16", nan.subarray(0, 2), nan.subarray(0, 2))).toBeUndefined();
});
