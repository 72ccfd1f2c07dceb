import fc from "fast-check";
import { expect, test } from "vitest";
import { type Dtype, dtypes, isMatrix, itemSizes, Matrix, requireMatrix, rowChunks } from "../../../src/formats/matrix.js";
import { memorySource } from "../analysis/memory-source.js";
import { expectedFrom } from "./reference-python.js";

/** Every dtype as torch decodes a fixed sequence of bytes; not finite numbers as texts. */
const reference = expectedFrom<Record<string, (number | string)[]>>(`
import json, math, torch
names = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64, "I8": torch.int8, "U8": torch.uint8, "I16": torch.int16, "U16": torch.uint16, "I32": torch.int32, "U32": torch.uint32}
raw = bytearray((i * 167 + (i >> 8) * 31) & 0xff for i in range(4096))
out = {}
for name, dtype in names.items():
    values = torch.frombuffer(raw, dtype=dtype)
    values = values.double().tolist() if dtype.is_floating_point else [int(x) for x in values.tolist()]
    out[name] = [x if math.isfinite(x) else str(float(x)) for x in values]
print(json.dumps(out))`);

const raw = Uint8Array.from({ length: 4096 }, (_, index) => (index * 167 + (index >> 8) * 31) & 0xff);
const asPython = (value: number): number | string => (Number.isFinite(value) ? value : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

test.each(Object.keys(reference) as Dtype[])("%s is decoded as torch decodes it", (dtype) => {
  const matrix = new Matrix(dtype, [raw.length / itemSizes[dtype]], raw);
  expect(Array.from(matrix.toFloat64(), asPython)).toEqual(reference[dtype]);
  expect(asPython(matrix.at(0, 3))).toEqual(reference[dtype]?.[3]);
});

test("booleans are 0 and 1, and 64-bit integers are exact up to 2^53", () => {
  expect([...new Matrix("BOOL", [3], Uint8Array.of(0, 1, 255)).toFloat64()]).toEqual([0, 1, 1]);
  const big = new Uint8Array(BigInt64Array.of(-(2n ** 53n), 2n ** 53n).buffer);
  expect([...new Matrix("I64", [2], big).toFloat64()]).toEqual([-(2 ** 53), 2 ** 53]);
});

test("rows run over the last dimension, whatever comes before", () => {
  const shapeOf = (shape: number[]) => {
    const { rows, columns } = new Matrix("U8", shape, new Uint8Array(shape.reduce((product, size) => product * size, 1)));
    return [rows, columns];
  };
  expect(shapeOf([2, 3, 4])).toEqual([6, 4]);
  expect(shapeOf([5])).toEqual([1, 5]);
  expect(shapeOf([])).toEqual([1, 1]);
  expect(shapeOf([0, 4])).toEqual([0, 4]);
  expect(shapeOf([4, 0])).toEqual([0, 0]);
});

test("bytes that are too few or too many are refused with both numbers", () => {
  fc.assert(
    fc.property(fc.constantFrom(...dtypes), fc.nat(5), fc.nat(5), fc.nat(300), (dtype, rows, columns, bytes) => {
      fc.pre(bytes !== rows * columns * itemSizes[dtype]);
      expect(() => new Matrix(dtype, [rows, columns], new Uint8Array(bytes))).toThrow(`takes ${rows * columns * itemSizes[dtype]} bytes, not ${bytes}`);
    }),
  );
});

test.each([
  [-1, 0],
  [2, 0],
  [0, 2],
  [Number.NaN, 0],
])("there is no element (%d, %d) in a matrix of 2 × 2", (row, column) => {
  expect(() => new Matrix("U8", [2, 2], new Uint8Array(4)).at(row, column)).toThrow(RangeError);
});

test("a matrix can lie anywhere in other memory", () => {
  const memory = new Uint8Array(9);
  memory.set(new Uint8Array(Float64Array.of(2.5).buffer), 1);
  expect(new Matrix("F64", [1, 1], memory.subarray(1)).at(0, 0)).toBe(2.5);
});

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

test("all rows come once and in order, in pieces of a few megabytes", () => {
  const columns = 1_000_000; // 2 MB a row in float16: two fit a piece
  const bytes = Uint8Array.from({ length: 5 * columns * 2 }, (_, index) => Math.floor(index / (columns * 2)));
  const seen = [...rowChunks(memorySource(new Matrix("F16", [5, columns], bytes)))].map(({ first, count, bytes: piece }) => [
    first,
    count,
    piece[0],
    piece.length,
  ]);
  expect(seen.map(([first, count]) => [first, count])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
  ]);
  expect(seen.map(([, count = 0, , length]) => length === count * columns * 2)).toEqual([true, true, true]);
});

test("a row that is larger than a piece is a piece", () => {
  const columns = 3 * 2 ** 20;
  const source = memorySource(new Matrix("F16", [2, columns], new Uint8Array(2 * columns * 2)));
  expect([...rowChunks(source)].map(({ first, count }) => [first, count])).toEqual([
    [0, 1],
    [1, 1],
  ]);
});

test("no rows, and rows without columns, are no trouble", () => {
  expect([...rowChunks(memorySource(new Matrix("F32", [0, 4], new Uint8Array())))]).toEqual([]);
  expect([...rowChunks(memorySource(new Matrix("F32", [4, 0], new Uint8Array())))]).toEqual([]);
});
