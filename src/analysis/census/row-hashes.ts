import { type Dtype, itemSizes } from "../../formats/matrix.js";
import { type KernelChoice, kernelKind, loadKernels } from "../kernels/load-kernels.js";
import { rowValues } from "./row-values.js";

/** Cut rows into runs of at most `limit` consecutive ones, each with the position of its first row. @param rows ascending and distinct. */
export function* rowRuns(rows: ArrayLike<number>, limit: number): Generator<Readonly<Record<"position" | "firstRow" | "count", number>>> {
  for (let position = 0; position < rows.length; ) {
    const firstRow = rows[position] ?? 0;
    let count = 1;
    while (count < limit && rows[position + count] === firstRow + count) count++;
    yield { position, firstRow, count };
    position += count;
  }
}

/** 32-bit words of a row's hash. */
export const hashWords = 2;

/** Hashes rows in its memory, and makes the bytes of equal rows equal. */
interface RowHasher {
  /** Memory of the first `count` rows. */
  rows(count: number): Uint8Array;
  /** Two words per row, both 0 only for a row with NaN. Replaces −0 by 0 and true booleans by 1 in `rows`. */
  hash(count: number): Uint32Array;
}

function rewriteFloats(words: Uint16Array | Uint32Array, sign: number): void {
  for (let index = 0; index < words.length; index++) if (words[index] === sign) words[index] = 0;
}

/** Replace −0 by 0 and true booleans by 1, in place. */
export function canonicalize(dtype: Dtype, { buffer, byteOffset, byteLength }: Uint8Array): void {
  if (dtype === "BF16" || dtype === "F16") rewriteFloats(new Uint16Array(buffer, byteOffset, byteLength / 2), 0x8000);
  if (dtype === "F32") rewriteFloats(new Uint32Array(buffer, byteOffset, byteLength / 4), 0x80000000);
  if (dtype === "F64") {
    const values = new Float64Array(buffer, byteOffset, byteLength / 8);
    // Only zeros are written: reading and writing a NaN could change its bits.
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
      kernels.hashRows(kernelKind(dtype), count, rowBytes);
      return new Uint32Array(buffer, kernels.hashesAddress(), count * hashWords);
    },
  };
}

/** A hasher for up to `capacity` rows at a time. */
export function createRowHasher(dtype: Dtype, columns: number, capacity: number, kernels: KernelChoice): RowHasher {
  return (kernels === "wasm" ? wasmRowHasher(dtype, columns, capacity) : undefined) ?? plainRowHasher(dtype, columns, capacity);
}

/** Approximate size of a read, small enough to stay in the second-level cache until it is hashed. */
const chunkBytes = 512 * 1024;

/** A request to hash rows of a matrix. */
export interface HashRequest {
  readonly dtype: Dtype;
  readonly columns: number;
  /** Ascending and distinct. */
  readonly rows: Int32Array;
  readonly kernels: KernelChoice;
}

/** `hashWords` words for each row of a request. */
export type CensusHashes = Uint32Array;

/** Reads `count` rows from `first` on into `target`. */
export type ReadRows = (first: number, count: number, target: Uint8Array) => void;

/** Rows of one chunk. */
export function rowsAtATime(dtype: Dtype, columns: number): number {
  return Math.max(Math.floor(chunkBytes / (columns * itemSizes[dtype])), 1);
}

/** Hash the rows of a matrix as they are read. @yields the number of rows done, after each chunk. */
export function* hashRows(read: ReadRows, { dtype, columns, rows, kernels }: HashRequest): Generator<number, CensusHashes> {
  const capacity = Math.min(rowsAtATime(dtype, columns), Math.max(rows.length, 1));
  const hasher = createRowHasher(dtype, columns, capacity, kernels);
  const hashes = new Uint32Array(rows.length * hashWords);
  for (const { position, firstRow, count } of rowRuns(rows, capacity)) {
    read(firstRow, count, hasher.rows(count));
    hashes.set(hasher.hash(count), position * hashWords);
    yield position + count;
  }
  return hashes;
}
