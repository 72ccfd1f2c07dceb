import { type Dtype, itemSizes } from "../../formats/matrix.js";
import type { KernelChoice } from "../kernels/kernel-choice.js";
import { createRowHasher, hashWords } from "./row-hasher.js";
import { rowRuns } from "./row-runs.js";

/** Rows are read about so many bytes at a time: they stay in the second-level cache until they are hashed. */
const chunkBytes = 512 * 1024;

/** Rows of a matrix to be hashed. */
export interface HashRequest {
  readonly dtype: Dtype;
  readonly columns: number;
  /** Ascending and distinct. */
  readonly rows: Int32Array;
  readonly kernels: KernelChoice;
}

/** `hashWords` words for each row of a request. */
export type CensusHashes = Uint32Array;

/** Copies the rows from `first` on into `target`, which holds `count` of them. */
export type ReadRows = (first: number, count: number, target: Uint8Array) => void;

/** Rows of one chunk. */
export function rowsAtATime(dtype: Dtype, columns: number): number {
  return Math.max(Math.floor(chunkBytes / (columns * itemSizes[dtype])), 1);
}

/**
 * Hash the rows of a matrix as they are read.
 *
 * @yields the number of rows done, after each chunk.
 */
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
