import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import { isMatrix, requireMatrix } from "../../../src/formats/require-matrix.js";

const matrix = new Matrix("F32", [1, 2], new Uint8Array(8));

test("a matrix passes, and whatever has its parts", () => {
  expect(() => requireMatrix(matrix, "embedding")).not.toThrow();
  expect(isMatrix({ dtype: "F32", shape: [1, 2], bytes: new Uint8Array(8) })).toBe(true);
});

test.each([
  ["a list", [[1, 2]]],
  ["null", null],
  ["undefined", undefined],
  ["number", 3],
  ["object", { dtype: "F32", shape: [1, 2], bytes: [0, 0] }],
  ["object", { dtype: "F32", bytes: new Uint8Array(8) }],
])("%s is refused with the name of the argument and what to do", (kind, value) => {
  expect(isMatrix(value)).toBe(false);
  expect(() => requireMatrix(value, "options.matrix")).toThrow(
    expect.objectContaining({
      code: "USAGE",
      message: expect.stringMatching(new RegExp(`^options\\.matrix: ${kind} is not a Matrix: take one from`)),
      issues: [{ path: "options.matrix", message: expect.stringContaining("is not a Matrix") }],
    }),
  );
});
