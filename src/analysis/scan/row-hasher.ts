import { type Dtype, itemSizes } from "../../formats/matrix.js";
import type { KernelChoice } from "../kernels/kernel-choice.js";
import { kernelKinds, loadKernels } from "../kernels/load-kernels.js";
import { rowValues } from "../row-values.js";

/** 32-bit words of a row's hash. */
export const hashWords = 2;

/** Hashes rows that are read into its memory, and brings them to a form in which equal rows are equal bytes. */
interface RowHasher {
  /** Memory of the first `count` rows. */
  rows(count: number): Uint8Array;
  /** Two words a row, both 0 for a row with NaN and for no other. Afterwards −0 is 0 in `rows`, and every true boolean is 1. */
  hash(count: number): Uint32Array;
}

function rewriteFloats(words: Uint16Array | Uint32Array, sign: number): void {
  for (let index = 0; index < words.length; index++) if (words[index] === sign) words[index] = 0;
}

/** Rewrite −0 as 0, and true booleans as 1, in place. */
function canonicalize(dtype: Dtype, { buffer, byteOffset, byteLength }: Uint8Array): void {
  if (dtype === "BF16" || dtype === "F16") rewriteFloats(new Uint16Array(buffer, byteOffset, byteLength / 2), 0x8000);
  if (dtype === "F32") rewriteFloats(new Uint32Array(buffer, byteOffset, byteLength / 4), 0x80000000);
  if (dtype === "F64") {
    const values = new Float64Array(buffer, byteOffset, byteLength / 8);
    // Only zeros are written: a NaN that passes through a number could change its bits.
    for (let index = 0; index < values.length; index++) if (values[index] === 0) values[index] = 0;
  }
  if (dtype === "BOOL") {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let index = 0; index < bytes.length; index++) if ((bytes[index] ?? 0) > 1) bytes[index] = 1;
  }
}

function plainRowHasher(dtype: Dtype, columns: number, capacity: number): RowHasher {
  const rowBytes = columns * itemSizes[dtype];
  const memory = new Uint8Array(capacity * rowBytes);
  return {
    rows: (count) => memory.subarray(0, count * rowBytes),
    hash(count) {
      const hashes = new Uint32Array(count * hashWords);
      const values = rowValues(dtype, memory, columns);
      for (let row = 0; row < count; row++) {
        const hash = values.hash(row);
        if (hash !== null) hashes.set([1, hash], row * hashWords);
      }
      canonicalize(dtype, memory.subarray(0, count * rowBytes));
      return hashes;
    },
  };
}

function wasmRowHasher(dtype: Dtype, columns: number, capacity: number): RowHasher | undefined {
  const kernels = loadKernels();
  const rowBytes = columns * itemSizes[dtype];
  const address = kernels.configureRows(rowBytes, capacity);
  if (address === 0) return undefined;
  const { buffer } = kernels.memory;
  const rows = (count: number): Uint8Array => new Uint8Array(buffer, address, count * rowBytes);
  return {
    rows,
    hash(count) {
      if (dtype === "BOOL") canonicalize(dtype, rows(count));
      kernels.hashRows(kernelKinds[dtype], count, rowBytes);
      return new Uint32Array(buffer, kernels.hashesAddress(), count * hashWords);
    },
  };
}

/** A hasher for up to `capacity` rows at a time. */
export function createRowHasher(dtype: Dtype, columns: number, capacity: number, kernels: KernelChoice): RowHasher {
  const hasher = kernels === "wasm" ? wasmRowHasher(dtype, columns, capacity) : undefined;
  return hasher ?? plainRowHasher(dtype, columns, capacity);
}
