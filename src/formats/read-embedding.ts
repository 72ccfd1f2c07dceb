import { itemSizes, Matrix } from "./matrix.js";
import { type EmbeddingChoice, openEmbedding } from "./open-embedding.js";

/** One matrix `[tokens, dims]` of a file, a checkpoint or a history, in memory. @throws {BhBridgeError} as `openEmbedding`. */
export async function readEmbedding(path: string, choice: EmbeddingChoice = {}): Promise<Matrix> {
  const embedding = await openEmbedding(path, choice);
  try {
    const { rows, shape } = embedding;
    const bytes = new Uint8Array(rows.rows * rows.columns * itemSizes[rows.dtype]);
    rows.read(0, rows.rows, bytes);
    return new Matrix(rows.dtype, shape, bytes);
  } finally {
    embedding.close();
  }
}
