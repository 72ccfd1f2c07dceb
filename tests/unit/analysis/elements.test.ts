import { expect, test } from "vitest";
import { decodeElements, forEachRow, inverseUlp, nonfiniteTokens, roundToBfloat16 } from "../../../src/analysis/elements.js";
import { dtypes, itemSizes, Matrix } from "../../../src/formats/matrix.js";
import { expectedFrom } from "../formats/reference-python.js";
import { bfloat16Matrix, float64Matrix } from "./matrices.js";

/** Bytes of every kind: a fixed sequence that reaches all values of a byte. */
const bytesFor = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, index) => (index * 167 + (index >> 8) * 31) & 0xff);

test.each(dtypes)("%s is decoded as a matrix decodes it, from an odd place too", (dtype) => {
  const count = 4096;
  const bytes = bytesFor(count * itemSizes[dtype]);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  for (const source of [bytes, shifted.subarray(1)]) {
    const target = new Float64Array(count);
    decodeElements(dtype, source, target);
    expect(target).toEqual(new Matrix(dtype, [count, 1], bytes).toFloat64());
  }
});

test("every row is visited once, in order, across blocks", () => {
  const rows = 600;
  const matrix = new Matrix("F32", [rows, 2], new Uint8Array(Float32Array.from({ length: rows * 2 }, (_, index) => index).buffer));
  const seen: number[] = [];
  forEachRow(matrix, ([a = 0, b = 0], row) => {
    expect(b).toBe(a + 1);
    seen.push(a / 2);
    expect(row).toBe(a / 2);
  });
  expect(seen).toEqual(Array.from({ length: rows }, (_, row) => row));
});

/** What a visitor is shown: the rows, copied, with their numbers. */
function shown(matrix: Matrix): { row: number; values: number[] }[] {
  const seen: { row: number; values: number[] }[] = [];
  forEachRow(matrix, (values, row) => seen.push({ row, values: [...values] }));
  return seen;
}

test("every row comes once, in order, decoded", () => {
  expect(
    shown(
      bfloat16Matrix([
        [0x3f80, 0x8000],
        [0xff80, 0x4040],
      ]),
    ),
  ).toEqual([
    { row: 0, values: [1, -0] },
    { row: 1, values: [Number.NEGATIVE_INFINITY, 3] },
  ]);
});

test.each([1, 255, 256, 257, 513])("%d rows, in blocks of 256, are all shown", (count) => {
  const rows = Array.from({ length: count }, (_, row) => [row, -row - 1]);
  expect(shown(float64Matrix(rows))).toEqual(rows.map((values, row) => ({ row, values })));
});

test("a matrix without rows or columns shows nothing", () => {
  expect(shown(new Matrix("F32", [0, 3], new Uint8Array()))).toEqual([]);
  expect(shown(new Matrix("F32", [3, 0], new Uint8Array()))).toEqual([]);
});

// Float32 bits around every kind of rounding: ties to even, carries into the exponent, overflow, subnormals, and random ones.
const program = `
import json, random, struct, torch
random.seed(3)
bits = [0, 0x80000000, 1, 0x8000, 0x18000, 0x8001, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x3fffffff, 0x7f7fffff, 0xff7f8000, 0x7f800000, 0xff800000]
bits += [random.getrandbits(32) for _ in range(2000)]
values = torch.tensor([struct.unpack("<f", struct.pack("<I", b))[0] for b in bits], dtype=torch.float32)
keep = ~values.isnan()
given = values[keep].view(torch.int32).tolist()
rounded = values[keep].to(torch.bfloat16)
print(json.dumps({"given": given, "rounded": rounded.view(torch.int16).tolist()}))`;

const { given, rounded } = expectedFrom<{ given: number[]; rounded: number[] }>(program);

const floatOfBits = (bits: number): number => new Float32Array(Int32Array.of(bits).buffer)[0] ?? 0;
const highBits = (value: number): number => (new Int32Array(Float32Array.of(value).buffer)[0] ?? 0) >> 16;

test("a float32 is rounded as torch rounds it", () => {
  expect(given.map((bits) => highBits(roundToBfloat16(floatOfBits(bits))))).toEqual(rounded);
});

test("NaN stays NaN", () => {
  expect(roundToBfloat16(Number.NaN)).toBeNaN();
});

test("the distance to the next bfloat16 is torch's, for every number but the largest, subnormals and both zeros included", () => {
  const ulps = expectedFrom<number[]>(`
import json, torch
values = torch.arange(0x7f7f, dtype=torch.int16).view(torch.bfloat16)
after = torch.nextafter(values, torch.tensor(float("inf"), dtype=torch.bfloat16))
print(json.dumps((after.double() - values.double()).tolist()))`);
  expect(ulps.length).toBe(0x7f7f);
  expect(ulps.map((_, bits) => 1 / inverseUlp(bits))).toEqual(ulps);
  expect(ulps.map((_, bits) => 1 / inverseUlp(bits | 0x8000))).toEqual(ulps);
});

test("rows with NaN or infinity are named by their tokens, ascending", () => {
  const rows = [
    [0, Number.NaN],
    [1, 2],
    [Number.NEGATIVE_INFINITY, 0],
  ];
  expect(nonfiniteTokens(float64Matrix(rows))).toEqual([0, 2]);
  expect(nonfiniteTokens(float64Matrix(rows, [5, 7, 100]))).toEqual([5, 100]);
});

test("the largest float64 is finite", () => {
  expect(nonfiniteTokens(float64Matrix([[Number.MAX_VALUE]]))).toEqual([]);
});
