const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bfloat16 nearest to a float32, ties to even, as torch rounds; NaN stays NaN. */
export function roundToBfloat16(value: number): number {
  float[0] = value;
  if (Number.isNaN(float[0])) return Number.NaN;
  const word = bits[0] ?? 0;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0];
}
