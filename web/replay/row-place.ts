import type { StateBits } from "./replayed.js";

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** The number that a recorded word stands for. */
function valueOfWord(word: number, dtype: string): number {
  if (dtype === "F16") return halfValue(word);
  words[0] = dtype === "BF16" ? word << 16 : word;
  return floats[0] ?? 0;
}

function halfValue(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 31;
  const fraction = word & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Position of a row in the picture: right, up, towards the eye. */
export function placeOfRow(
  bits: StateBits,
  row: number,
  dims: number,
  dtype: string,
  matrix: Float32Array,
  offset: readonly number[],
): [number, number, number] {
  const place: [number, number, number] = [-(offset[0] ?? 0), -(offset[1] ?? 0), -(offset[2] ?? 0)];
  for (let dim = 0; dim < dims; dim++) {
    const value = valueOfWord(bits[row * dims + dim] ?? 0, dtype);
    place[0] += value * (matrix[dim * 4] ?? 0);
    place[1] += value * (matrix[dim * 4 + 1] ?? 0);
    place[2] += value * (matrix[dim * 4 + 2] ?? 0);
  }
  return place;
}
