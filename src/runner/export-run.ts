import { existsSync, statSync } from "node:fs";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { durableCreateFile } from "../formats/durable-write.js";
import { type Dtype, itemSizes, Matrix, type RowSource, rowChunks } from "../formats/matrix.js";
import { writeNpy } from "../formats/numpy/write-npy.js";
import { type WritableTensor, writeSafetensors } from "../formats/safetensors/safetensors.js";
import { resolvePython } from "../python/require-packages.js";
import { type EmbeddingChoice, type OpenEmbedding, openEmbedding } from "../runs/open-embedding.js";
import { numberText } from "../text/format.js";
import { exportMetrics } from "./export-metrics.js";
import { exportModel, exportModelAt } from "./export-model.js";
import { type Exported, exportTargets, isOfMetrics, type TensorTarget } from "./exported.js";
import { openRun } from "./open-run.js";
import { pythonOf } from "./train-again.js";

/**
 * Write a matrix as CSV: a header `token,0,1,…`, then one line per row, with all digits of every number (`nan`, `inf`, `-inf` as in numpy).
 * @throws {BhBridgeError} as `writeSafetensors`.
 */
export function writeCsv(path: string, rows: RowSource): void {
  const { dtype, columns } = rows;
  const tokenOf = (row: number): number => rows.rowTokens?.ofRow(row) ?? row;
  durableCreateFile(path, (write) => {
    write(Buffer.from(`token,${Array.from({ length: columns }, (_, column) => column).join(",")}\n`));
    for (const { first, count, bytes } of rowChunks(rows)) {
      const cells = texts(dtype, bytes);
      const lines = Array.from({ length: count }, (_, row) => `${tokenOf(first + row)},${cells.slice(row * columns, (row + 1) * columns).join(",")}\n`);
      write(Buffer.from(lines.join("")));
    }
  });
}

function texts(dtype: Dtype, bytes: Uint8Array): string[] {
  if (dtype === "I64" || dtype === "U64") {
    const copy = bytes.slice().buffer;
    return [...(dtype === "I64" ? new BigInt64Array(copy) : new BigUint64Array(copy))].map(String);
  }
  const values = new Matrix(dtype, [bytes.byteLength / itemSizes[dtype]], bytes).toFloat64();
  return Array.from(values, numberText);
}

/**
 * Write a history (all its recorded states, or the one after `step`) or a matrix as one file; CSV holds one state.
 * @throws {BhBridgeError} as `openEmbedding`; `FILE_UNWRITABLE`, `DISK_FULL`.
 */
async function exportTensor({ path, tensor, step }: EmbeddingChoice & { path: string }, to: TensorTarget, out: string): Promise<Exported> {
  const embedding = await openEmbedding(path, { tensor, step });
  try {
    const written = to === "csv" || step !== undefined ? matrixOf(embedding) : historyOf(embedding);
    await write(to, out, written);
    const { ids } = embedding.rows.rowTokens;
    const what = { tensor: embedding.tensor, shape: [...written.shape], ...(ids && { tokenIds: [...ids] }) };
    return { source: path, to, out, ...what, bytes: statSync(out).size };
  } finally {
    embedding.close();
  }
}

/** One state of a history is named `embedding`. */
function matrixOf({ tensor, shape, rows, step }: OpenEmbedding): WritableTensor {
  return { name: step === undefined ? tensor : "embedding", shape, rows };
}

function historyOf(embedding: OpenEmbedding): WritableTensor {
  const { tensor, shape, history } = embedding;
  return history ? { name: tensor, shape: [history.states, ...shape], rows: history.rows } : matrixOf(embedding);
}

async function write(to: TensorTarget, out: string, tensor: WritableTensor): Promise<void> {
  switch (to) {
    case "safetensors":
      return writeSafetensors(out, [tensor], { writer: "bh-bridge" });
    case "npy":
      return writeNpy(out, tensor);
    case "csv":
      return writeCsv(out, tensor.rows);
    case "hdf5": {
      // Imported lazily, since its library is 4 MB of WebAssembly.
      const { writeHdf5 } = await import("../formats/hdf5/write-hdf5.js");
      return writeHdf5(out, tensor);
    }
  }
}

const exportArguments = z.strictObject({
  path: z.string(),
  /** `hf` exports a model of a run, `csv` one state, `safetensors`, `hdf5` and `npy` the whole history, the others the metrics of a run by step. `exportCrate` writes an RO-Crate. */
  to: z.enum(exportTargets).exclude(["ro-crate"]),
  /** File or directory to create; nothing is overwritten. */
  out: z.string().min(1),
  /** Name of the tensor (default: the embedding). Not with `hf`. */
  tensor: z.string().optional(),
  /** Training step of the only state to export (default: all; `csv`: the last); with `hf`, of the model (default: the final one). */
  step: z.int().nonnegative().optional(),
  /** With `csv`: the metrics of a run instead of a state. */
  metrics: z.boolean().optional(),
  /** With `hf` and `step`: also write the state of optimizer, schedule and random streams, from which HF's Trainer resumes. */
  optimizer: z.boolean().optional(),
  /** With `hf` and `step`: present path of the same text, for training again. */
  corpus: z.string().optional(),
  /** With `hf` and `step`, and for trackers: path of an interpreter (default: from the run's configuration). */
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  /** Called with the number of analysed states and their total, if metrics need an analysis. */
  onProgress: z.custom<(done: number, total: number) => void>((value) => typeof value === "function").optional(),
});
/** Options of `exportRun`. */
export type ExportOptions = Omit<z.input<typeof exportArguments>, "path">;

/**
 * Export a model, a history, a matrix or the metrics of a run for Python, spreadsheets and trackers. Python is required only for the model of a step that is not saved, and for trackers.
 * @param path a run, or except for `hf` any file or directory that `openCheckpoint` supports.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, a step that was not recorded and a run without a final model; `FILE_UNWRITABLE` if `out` exists;
 *   `DISK_FULL`; as `openCheckpoint`, and with a step of a model as `Run.modelAt`.
 */
export async function exportRun(path: string, options: ExportOptions): Promise<Exported> {
  const given = callArguments("exportRun", exportArguments, { ...options, path });
  const { to, out, tensor, step, metrics = false, optimizer = false, corpus, python, signal, onProgress } = given;
  if (optimizer && (to !== "hf" || step === undefined)) throw new BhBridgeError("USAGE", 'exportRun: optimizer requires to "hf" and a step');
  if (isOfMetrics(to, metrics)) {
    if (tensor !== undefined || step !== undefined)
      throw new BhBridgeError("USAGE", `${to} exports the metrics of all steps of a run: omit the ${step === undefined ? "tensor" : "step"}`);
    requireFree(out);
    return exportMetrics(path, { to, out, python, signal, onProgress });
  }
  if (metrics) throw new BhBridgeError("USAGE", `${to} has no metrics: use csv, parquet or a tracker`);
  if (to !== "hf") return exportTensor({ path, tensor, step }, to, out);
  if (tensor !== undefined) throw new BhBridgeError("USAGE", 'exportRun: tensor does not go with to "hf", which exports a whole model');
  if (step === undefined) return exportModel(path, out);
  requireFree(out);
  const run = await openRun(path);
  using model = await run.modelAt(step, { optimizer, corpus, python, signal });
  return await exportModelAt(model, out, { optimizer, python: () => resolvePython(pythonOf(run, python), signal) });
}

/** Check before training that an export can be written. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function requireFree(out: string): void {
  if (existsSync(out)) throw new BhBridgeError("FILE_UNWRITABLE", `${out} exists already, and nothing is overwritten: name another place, or remove it`);
}
