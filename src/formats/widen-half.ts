import { type Dtype, Matrix } from "./matrix.js";

/** Whether elements have to be widened for readers that know neither bfloat16 nor float16; float32 holds both exactly. */
export function isHalf(dtype: Dtype): boolean {
  return dtype === "BF16" || dtype === "F16";
}

/** Half-precision elements as the bytes of the same numbers in float32. */
export function widened(dtype: Dtype, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Matrix(dtype, [bytes.byteLength / 2], bytes).toFloat32().buffer);
}
