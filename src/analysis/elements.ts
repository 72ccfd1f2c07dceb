import { type Dtype, itemSizes, Matrix } from "../formats/matrix.js";

const halfValues = 65536;
let float16Table: Float64Array | undefined;

/** Buffer to decode bfloat16, the upper half of a float32. */
const words = new Uint32Array(1024);
const floats = new Float32Array(words.buffer);

/** Every float16 as a number: a table decodes about fifty times faster than bit arithmetic. */
function float16Values(): Float64Array {
  float16Table ??= new Matrix("F16", [halfValues, 1], new Uint8Array(Uint16Array.from({ length: halfValues }, (_, bits) => bits).buffer)).toFloat64();
  return float16Table;
}

/** Decode elements into float64, exactly (64-bit integers beyond 2^53 are rounded). @param bytes the elements, little-endian. @param target as many numbers. */
export function decodeElements(dtype: Dtype, bytes: Uint8Array, target: Float64Array): void {
  const aligned = bytes.byteOffset % itemSizes[dtype] === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const count = target.length;
  if (dtype === "BF16") {
    const halves = new Uint16Array(buffer, byteOffset, count);
    for (let first = 0; first < count; first += words.length) {
      const end = Math.min(count, first + words.length);
      for (let index = first; index < end; index++) words[index - first] = (halves[index] ?? 0) << 16;
      for (let index = first; index < end; index++) target[index] = floats[index - first] ?? 0;
    }
  } else if (dtype === "F16") {
    const halves = new Uint16Array(buffer, byteOffset, count);
    const values = float16Values();
    for (let index = 0; index < count; index++) target[index] = values[halves[index] ?? 0] ?? 0;
  } else if (dtype === "F32") {
    target.set(new Float32Array(buffer, byteOffset, count));
  } else if (dtype === "F64") {
    target.set(new Float64Array(buffer, byteOffset, count));
  } else {
    target.set(new Matrix(dtype, [count, 1], bytes).toFloat64());
  }
}

/** Rows decoded at a time. */
const rowsAtATime = 256;

/** Call `visit` with each row of a matrix in order, decoded into reused float64 memory. */
export function forEachRow(matrix: Matrix, visit: (values: Float64Array, row: number) => void): void {
  const { dtype, bytes, rows, columns } = matrix;
  const rowBytes = columns * itemSizes[dtype];
  const block = new Float64Array(Math.min(rows, rowsAtATime) * columns);
  for (let first = 0; first < rows; first += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - first);
    decodeElements(dtype, bytes.subarray(first * rowBytes, (first + count) * rowBytes), block.subarray(0, count * columns));
    for (let row = 0; row < count; row++) visit(block.subarray(row * columns, (row + 1) * columns), first + row);
  }
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Round a float32 to bfloat16, ties to even, as torch does; NaN stays NaN. */
export function roundToBfloat16(value: number): number {
  float[0] = value;
  if (Number.isNaN(float[0])) return Number.NaN;
  const word = bits[0] ?? 0;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

const exponents = 256;
const exponentShift = 7;

/** 1/ULP for each biased exponent E of a bfloat16: ULP = 2^(E−134), and 2^−133 for subnormals (E = 0). Multiplying by powers of two is exact. */
const inverseUlps = Float64Array.from({ length: exponents }, (_, exponent) => 2 ** (134 - Math.max(exponent, 1)));

/** 1/ULP of the bfloat16 with these bits: lattice cells per unit. */
export function inverseUlp(bits: number): number {
  return inverseUlps[(bits >> exponentShift) & (exponents - 1)] ?? 0;
}

/** Tokens whose rows contain NaN or infinity, ascending. */
export function nonfiniteTokens(matrix: Matrix): number[] {
  const rows: number[] = [];
  forEachRow(matrix, (values, row) => {
    if (!values.every((value) => Number.isFinite(value))) rows.push(row);
  });
  return matrix.rowTokens.ofRows(rows);
}
