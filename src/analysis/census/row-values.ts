import { type Dtype, itemSizes } from "../../formats/matrix.js";

/** Rows compared by value: −0 equals 0, and a row with NaN equals no row. */
export interface RowValues {
  /** A 32-bit hash that equal rows share; null for a row with NaN. */
  hash(row: number): number | null;
  /** Whether two rows without NaN hold the same values. */
  equal(first: number, second: number): boolean;
}

const hashMultiplier = 0x9e3779b1;

function mix(hash: number, word: number): number {
  return Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashMultiplier);
}

/** Floats of 16 or 32 bits. @param sign the bits of −0. @param infinity the bits of +∞. */
function narrowFloats(words: Uint16Array | Uint32Array, columns: number, sign: number, infinity: number): RowValues {
  const magnitude = sign - 1;
  return {
    hash(row) {
      let hash = 0;
      for (let index = row * columns, end = index + columns; index < end; index++) {
        const word = words[index] ?? 0;
        if ((word & magnitude) > infinity) return null;
        hash = mix(hash, word === sign ? 0 : word);
      }
      return hash;
    },
    equal(first, second) {
      for (let column = 0, a = first * columns, b = second * columns; column < columns; column++) {
        const x = words[a + column] ?? 0;
        const y = words[b + column] ?? 0;
        if (x !== y && ((x | y) & magnitude) !== 0) return false;
      }
      return true;
    },
  };
}

/** Floats of 64 bits: compared as numbers, hashed as pairs of words. */
function wideFloats(values: Float64Array, columns: number): RowValues {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  return {
    hash(row) {
      let hash = 0;
      for (let index = row * columns, end = index + columns; index < end; index++) {
        const value = values[index] ?? 0;
        if (Number.isNaN(value)) return null;
        hash = value === 0 ? mix(mix(hash, 0), 0) : mix(mix(hash, words[2 * index] ?? 0), words[2 * index + 1] ?? 0);
      }
      return hash;
    },
    equal(first, second) {
      for (let column = 0, a = first * columns, b = second * columns; column < columns; column++) {
        if (values[a + column] !== values[b + column]) return false;
      }
      return true;
    },
  };
}

/** Integers, whose bytes are their value; `bytesOf` maps every true boolean to one byte. */
function integers(bytes: Uint8Array, rowBytes: number, bytesOf: (byte: number) => number): RowValues {
  return {
    hash(row) {
      let hash = 0;
      for (let index = row * rowBytes, end = index + rowBytes; index < end; index++) hash = mix(hash, bytesOf(bytes[index] ?? 0));
      return hash;
    },
    equal(first, second) {
      for (let offset = 0, a = first * rowBytes, b = second * rowBytes; offset < rowBytes; offset++) {
        if (bytesOf(bytes[a + offset] ?? 0) !== bytesOf(bytes[b + offset] ?? 0)) return false;
      }
      return true;
    },
  };
}

/**
 * The rows of a matrix for comparison by value.
 * @param bytes `[rows, columns]` of `dtype`, little-endian, row-major; copied only if it is not aligned to its elements.
 */
export function rowValues(dtype: Dtype, bytes: Uint8Array, columns: number): RowValues {
  const size = itemSizes[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  switch (dtype) {
    case "BF16":
      return narrowFloats(new Uint16Array(buffer, byteOffset, byteLength / 2), columns, 0x8000, 0x7f80);
    case "F16":
      return narrowFloats(new Uint16Array(buffer, byteOffset, byteLength / 2), columns, 0x8000, 0x7c00);
    case "F32":
      return narrowFloats(new Uint32Array(buffer, byteOffset, byteLength / 4), columns, 0x80000000, 0x7f800000);
    case "F64":
      return wideFloats(new Float64Array(buffer, byteOffset, byteLength / 8), columns);
    case "BOOL":
      return integers(aligned, columns, (byte) => (byte === 0 ? 0 : 1));
    default:
      return integers(aligned, columns * size, (byte) => byte);
  }
}
