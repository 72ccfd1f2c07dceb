import { statSync } from "node:fs";
import { writeNpy } from "../formats/numpy/write-npy.js";
import { type WritableTensor, writeSafetensors } from "../formats/safetensors/write-safetensors.js";
import { writeCsv } from "../formats/write-csv.js";
import { type EmbeddingChoice, type OpenEmbedding, openEmbedding } from "../runs/open-embedding.js";
import type { Exported, ExportTarget } from "./exported.js";

/** What a tensor can be written as. */
type TensorTarget = Exclude<ExportTarget, "hf">;

/**
 * Write a history (all its recorded states, or the one after `step`) or a matrix as one file; CSV takes one state.
 *
 * @throws {BhBridgeError} as `openEmbedding`; `FILE_UNWRITABLE`, `DISK_FULL`.
 */
export async function exportTensor({ path, tensor, step }: EmbeddingChoice & { path: string }, to: TensorTarget, out: string): Promise<Exported> {
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

/** One state of a history is no history: it gets a name of its own. */
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
      // Its library is 4 MB of WebAssembly: loaded for those who need it.
      const { writeHdf5 } = await import("../formats/hdf5/write-hdf5.js");
      return writeHdf5(out, tensor);
    }
  }
}
