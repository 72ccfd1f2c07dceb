import { itemSizes } from "../formats/matrix.js";
import type { RowSource } from "../formats/row-source.js";
import { RowTokens } from "../formats/row-tokens.js";
import { type Census, censusOfClasses } from "./census.js";
import { defaultKernels } from "./kernels/kernel-choice.js";
import { rowClasses } from "./row-classes.js";
import type { RowValues } from "./row-values.js";
import { type CensusHashes, type HashRequest, hashRows, type ReadRows } from "./scan/hash-rows.js";
import { hashWords } from "./scan/row-hasher.js";
import { cutEvenly, runHere, runInParts, workerCount } from "./scan/run-in-parts.js";
import type { ScanOptions } from "./scan/scan-options.js";
import { verifyClasses } from "./scan/verify-classes.js";
import { selectRows } from "./select-rows.js";

/** A worker takes 60 ms to start, in which one thread hashes 700 MB: with less than this for each, two are slower than one. */
const bytesPerWorker = 1024 * 1024 * 1024;

/** Hashes as rows that can be told apart; both words are 0 for a row with NaN. */
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
 * The census of a matrix of any size, in memory that does not grow with it (some bytes a row excepted).
 *
 * Rows are hashed as they are read; those that share a hash are read a second time and compared, so that no hash is trusted.
 * Long plain files are read by several threads. Equality is that of `census`.
 *
 * @param source the matrix: `tensor.rows()` of an open file, or `rows` of `openEmbedding(path)`.
 * @param tokens whose rows to look at, in any order; all of them when absent. One named twice counts once.
 * @throws {BhBridgeError} `USAGE` for a token that has no row in the matrix; `ABORTED`; what reading the rows throws.
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
