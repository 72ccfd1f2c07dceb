import type { Dtype } from "../../formats/matrix.js";
import type { KernelChoice } from "../kernels/kernel-choice.js";
import { type ReadRows, rowsAtATime } from "./hash-rows.js";
import { createRowHasher } from "./row-hasher.js";
import { rowRuns } from "./row-runs.js";

/** First rows of groups that are kept while the others are compared with them; further groups wait for another pass over their own rows. */
const keptBytes = 32 * 1024 * 1024;

/** Groups of rows that may be equal. */
interface CandidateClasses {
  readonly dtype: Dtype;
  readonly columns: number;
  /** The looked-at rows, ascending. */
  readonly rows: Int32Array;
  /** For each position in `rows`, the first position with the same hash. */
  readonly candidates: Int32Array;
  readonly kernels: KernelChoice;
}

/** A row that was kept, and where it stands in the list of rows. */
interface KeptRow {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * Positions that share a hash with another one, cut into batches of whole groups whose first rows fit into memory.
 * Index loops, since a matrix has hundreds of thousands of rows and few in groups.
 */
function batches(candidates: Int32Array, groupsInBatch: number): number[][] {
  const batchOfGroup = new Map<number, number>();
  for (let position = 0; position < candidates.length; position++) {
    const first = candidates[position] ?? position;
    if (first !== position && !batchOfGroup.has(first)) batchOfGroup.set(first, Math.floor(batchOfGroup.size / groupsInBatch));
  }
  const positions = Array.from({ length: Math.ceil(batchOfGroup.size / groupsInBatch) }, (): number[] => []);
  if (positions.length === 0) return positions;
  for (let position = 0; position < candidates.length; position++) {
    const batch = batchOfGroup.get(candidates[position] ?? position);
    if (batch !== undefined) positions[batch]?.push(position);
  }
  return positions;
}

/** The kept row that equals `bytes`, among those of one group. */
function equalRow(kept: readonly KeptRow[], bytes: Uint8Array): KeptRow | undefined {
  return kept.find((row) => Buffer.compare(row.bytes, bytes) === 0);
}

/**
 * Turn groups of rows with the same hash into classes of equal rows, by reading and comparing them; each row is read once.
 *
 * @yields the number of rows compared, after each run.
 * @returns for each position, the first position whose row is equal.
 */
export function* verifyClasses(read: ReadRows, { dtype, columns, rows, candidates, kernels }: CandidateClasses): Generator<number, Int32Array> {
  const classes = candidates.map((_, position) => position);
  const capacity = Math.min(rowsAtATime(dtype, columns), Math.max(rows.length, 1));
  const hasher = createRowHasher(dtype, columns, capacity, kernels);
  const rowBytes = hasher.rows(1).byteLength;
  let compared = 0;
  for (const positions of batches(candidates, Math.max(Math.floor(keptBytes / rowBytes), 1))) {
    const groups = new Map<number, KeptRow[]>();
    const batchRows = positions.map((position) => rows[position] ?? 0);
    for (const run of rowRuns(batchRows, capacity)) {
      read(run.firstRow, run.count, hasher.rows(run.count));
      // Hashing again brings equal rows to equal bytes.
      hasher.hash(run.count);
      const memory = hasher.rows(run.count);
      for (let index = 0; index < run.count; index++) {
        const position = positions[run.position + index] ?? 0;
        const bytes = memory.subarray(index * rowBytes, (index + 1) * rowBytes);
        const group = groups.get(candidates[position] ?? position) ?? [];
        const equal = equalRow(group, bytes);
        if (equal) classes[position] = equal.position;
        else groups.set(candidates[position] ?? position, [...group, { position, bytes: bytes.slice() }]);
      }
      compared += run.count;
      yield compared;
    }
  }
  return classes;
}
