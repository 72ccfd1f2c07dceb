import { type Dtype, itemSizes, type RowSource } from "../../formats/matrix.js";
import { RowTokens } from "../../formats/row-tokens.js";
import { defaultKernels, type KernelChoice } from "../kernels/load-kernels.js";
import type { ScanOptions } from "../scan/observation.js";
import { cutEvenly, runHere, runInParts, workerCount } from "../scan/run-in-parts.js";
import { type Census, censusOfClasses, rowClasses, selectRows } from "./census.js";
import { type CensusHashes, createRowHasher, type HashRequest, hashRows, hashWords, type ReadRows, rowRuns, rowsAtATime } from "./row-hashes.js";
import type { RowValues } from "./row-values.js";

/** Memory for the first rows of groups. Further groups are compared in another pass over their rows. */
const batchBytes = 32 * 1024 * 1024;

/** Groups of rows that may be equal. */
interface CandidateClasses {
  readonly dtype: Dtype;
  readonly columns: number;
  /** The selected rows, ascending. */
  readonly rows: Int32Array;
  /** For each position in `rows`, the first position with the same hash. */
  readonly candidates: Int32Array;
  readonly kernels: KernelChoice;
}

/**
 * Positions that share a hash with another one, in batches of whole groups whose first rows fit into memory.
 * Index loops, since a matrix has hundreds of thousands of rows and few in groups.
 */
function batches(candidates: Int32Array, groupsInBatch: number): number[][] {
  const batchOfGroup = new Map<number, number>();
  for (let position = 0; position < candidates.length; position++) {
    const first = candidates[position] ?? position;
    if (first !== position && !batchOfGroup.has(first)) batchOfGroup.set(first, Math.floor(batchOfGroup.size / groupsInBatch));
  }
  const positions = Array.from({ length: Math.ceil(batchOfGroup.size / groupsInBatch) }, (): number[] => []);
  for (let position = 0; position < candidates.length; position++) {
    const batch = batchOfGroup.get(candidates[position] ?? position);
    if (batch !== undefined) positions[batch]?.push(position);
  }
  return positions;
}

/**
 * Turn groups of rows with the same hash into classes of equal rows, by reading each row once and comparing.
 * @yields the number of rows compared, after each run.
 * @returns for each position, the first position whose row is equal.
 */
export function* verifyClasses(read: ReadRows, { dtype, columns, rows, candidates, kernels }: CandidateClasses): Generator<number, Int32Array> {
  const classes = candidates.map((_, position) => position);
  const capacity = Math.min(rowsAtATime(dtype, columns), Math.max(rows.length, 1));
  const hasher = createRowHasher(dtype, columns, capacity, kernels);
  const rowBytes = hasher.rows(1).byteLength;
  let compared = 0;
  for (const positions of batches(candidates, Math.max(Math.floor(batchBytes / rowBytes), 1))) {
    const groups = new Map<number, { position: number; bytes: Uint8Array }[]>();
    const batchRows = positions.map((position) => rows[position] ?? 0);
    for (const run of rowRuns(batchRows, capacity)) {
      read(run.firstRow, run.count, hasher.rows(run.count));
      hasher.hash(run.count); // makes the bytes of equal rows equal
      const memory = hasher.rows(run.count);
      for (let index = 0; index < run.count; index++) {
        const position = positions[run.position + index] ?? 0;
        const bytes = memory.subarray(index * rowBytes, (index + 1) * rowBytes);
        const group = groups.get(candidates[position] ?? position) ?? [];
        const equal = group.find((row) => Buffer.compare(row.bytes, bytes) === 0);
        if (equal) classes[position] = equal.position;
        else groups.set(candidates[position] ?? position, [...group, { position, bytes: bytes.slice() }]);
      }
      compared += run.count;
      yield compared;
    }
  }
  return classes;
}

/** A worker takes 60 ms to start, in which one thread hashes 700 MB. With less than this for each, two are slower than one. */
const bytesPerWorker = 1024 * 1024 * 1024;

/** Hashes in place of row values; both words are 0 for a row with NaN. */
function hashValues(hashes: CensusHashes): RowValues {
  const word = (index: number): number => hashes[index] ?? 0;
  return {
    hash(row) {
      const low = word(row * hashWords);
      const high = word(row * hashWords + 1);
      return low === 0 && high === 0 ? null : (low ^ high) | 0;
    },
    equal: (a, b) => word(a * hashWords) === word(b * hashWords) && word(a * hashWords + 1) === word(b * hashWords + 1),
  };
}

function reader(source: RowSource): ReadRows {
  return (first, count, target) => source.read(first, count, target);
}

async function hashAll(source: RowSource, request: HashRequest, options: ScanOptions): Promise<CensusHashes> {
  const { rows, dtype, columns } = request;
  const cost = rows.length * columns * itemSizes[dtype];
  const workers = source.raw ? workerCount(cost, bytesPerWorker, options) : 0;
  if (!source.raw || workers === 0) return await runHere(hashRows(reader(source), request), rows.length, options);
  const { raw } = source;
  const tasks = cutEvenly(rows.length, workers).map(({ first, end }) => ({
    kind: "hash" as const,
    ...raw,
    request: { ...request, rows: rows.slice(first, end) },
  }));
  const parts = await runInParts(tasks, rows.length, options);
  const hashes = new Uint32Array(rows.length * hashWords);
  let offset = 0;
  for (const part of parts) {
    hashes.set(part, offset);
    offset += part.length;
  }
  return hashes;
}

/**
 * The census of a matrix of any size, in constant memory apart from some bytes per row. Rows are hashed as they are read; rows with equal hashes are read again and
 * compared. Several threads read long plain files. Equality is that of `census`.
 * @param source the matrix: `tensor.rows()` of an open file, or `rows` of `openEmbedding(path)`.
 * @param tokens tokens to select, in any order (default: all). Duplicates count once.
 * @throws {BhBridgeError} `USAGE` for a token without a row in the matrix; `ABORTED`; read errors.
 */
export async function censusOfRows(source: RowSource, tokens?: readonly number[], options: ScanOptions = {}): Promise<Census> {
  const { dtype, columns } = source;
  const rowTokens = source.rowTokens ?? RowTokens.all(source.rows);
  const selected = selectRows(source.rows, tokens && rowTokens.rowsOf(tokens));
  const kernels = options.kernels ?? defaultKernels();
  const hashes = await hashAll(source, { dtype, columns, rows: selected, kernels }, options);
  const positions = selected.map((_, position) => position);
  const candidates = rowClasses(hashValues(hashes), positions);
  const comparison = verifyClasses(reader(source), { dtype, columns, rows: selected, candidates, kernels });
  const classes = await runHere(comparison, selected.length, { signal: options.signal });
  return censusOfClasses(classes, selected, rowTokens);
}
