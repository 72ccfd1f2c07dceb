import { type Dtype, itemSizes, Matrix } from "../formats/matrix.js";

const halfValues = 65536;
let float16Table: Float64Array | undefined;

/** A bfloat16 is the upper half of a float32: a piece of them is put together here. */
const words = new Uint32Array(1024);
const floats = new Float32Array(words.buffer);

/** Every float16 as a number: decoding by table is some fifty times faster than bit by bit. */
function float16Values(): Float64Array {
  float16Table ??= new Matrix("F16", [halfValues, 1], new Uint8Array(Uint16Array.from({ length: halfValues }, (_, bits) => bits).buffer)).toFloat64();
  return float16Table;
}

/**
 * Decode elements into float64, exactly (64-bit integers beyond 2^53 are rounded).
 *
 * @param bytes the elements, little-endian.
 * @param target as many numbers.
 */
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
