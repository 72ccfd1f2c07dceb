import { itemSizes } from "./matrix.js";
import type { RowSource } from "./row-source.js";

/** So many bytes are read at a time: large enough to be fast, small beside what a program takes anyway. */
const chunkBytes = 4 * 2 ** 20;

/** Consecutive rows; `bytes` is used again for the next ones. */
interface RowChunk {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** All rows of a source front to back, some at a time, in memory that does not grow with them. */
export function* rowChunks(source: RowSource): Generator<RowChunk> {
  const rowBytes = source.columns * itemSizes[source.dtype];
  const rowsAtATime = Math.max(1, Math.floor(chunkBytes / Math.max(1, rowBytes)));
  const buffer = new Uint8Array(Math.min(rowsAtATime, source.rows) * rowBytes);
  for (let first = 0; first < source.rows; first += rowsAtATime) {
    const count = Math.min(rowsAtATime, source.rows - first);
    const bytes = buffer.subarray(0, count * rowBytes);
    source.read(first, count, bytes);
    yield { first, count, bytes };
  }
}
