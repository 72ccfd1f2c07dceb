import { statSync } from "node:fs";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { durableCreateFile } from "../formats/durable-write.js";
import { type Dtype, itemSizes, Matrix, type RowSource, rowChunks } from "../formats/matrix.js";
import { writeNpy } from "../formats/numpy/write-npy.js";
import { type WritableTensor, writeSafetensors } from "../formats/safetensors/safetensors.js";
import { type EmbeddingChoice, type OpenEmbedding, openEmbedding } from "../runs/open-embedding.js";
import { exportModel } from "./export-model.js";
import { type Exported, type ExportTarget, exportTargets } from "./exported.js";

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

function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

type TensorTarget = Exclude<ExportTarget, "hf">;

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

export interface ExportOptions {
  /** `hf` exports the final model of a run, `csv` one state, the others the whole history. */
  to: ExportTarget;
  /** File or directory to create; nothing is overwritten. */
  out: string;
  /** Name of the tensor (default: the embedding). Not with `hf`. */
  tensor?: string | undefined;
  /** Training step of the only state to export (default: all; `csv`: the last). Not with `hf`. */
  step?: number | undefined;
}

const exportArguments = z.strictObject({
  path: z.string(),
  to: z.enum(exportTargets),
  out: z.string().min(1),
  tensor: z.string().optional(),
  step: z.int().nonnegative().optional(),
});

/**
 * Export a model, a history or a matrix for Python and spreadsheets. No Python is required.
 * @param path a run, or except for `hf` any file or directory that `openCheckpoint` supports.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, a step that was not recorded and a run without a final model; `FILE_UNWRITABLE` if `out` exists;
 *   `DISK_FULL`; as `openCheckpoint`.
 */
export async function exportRun(path: string, options: ExportOptions): Promise<Exported> {
  const { to, out, tensor, step } = callArguments("exportRun", exportArguments, { ...options, path });
  if (to !== "hf") return exportTensor({ path, tensor, step }, to, out);
  const unfit = tensor !== undefined ? "tensor" : step !== undefined ? "step" : undefined;
  if (unfit !== undefined) throw new BhBridgeError("USAGE", `exportRun: ${unfit} does not go with to "hf": only the final model is complete`);
  return exportModel(path, out);
}
