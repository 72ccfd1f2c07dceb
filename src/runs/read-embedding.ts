import { BhBridgeError } from "../errors.js";
import { itemSizes, Matrix } from "../formats/matrix.js";
import { type EmbeddingChoice, openEmbedding } from "./open-embedding.js";

/** One matrix `[tokens, dims]` of a file, a checkpoint or a history, in memory. @throws {BhBridgeError} as `openEmbedding`; `FORMAT_UNSUPPORTED` for a run that recorded chosen rows. */
export async function readEmbedding(path: string, choice: EmbeddingChoice = {}): Promise<Matrix> {
  const embedding = await openEmbedding(path, choice);
  try {
    const { rows, shape } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) {
      const reason = `it has the rows of ${shape[0]} chosen tokens of ${vocabulary}, not a whole embedding`;
      throw new BhBridgeError("FORMAT_UNSUPPORTED", `${path} cannot be taken as an embedding: ${reason}`);
    }
    const bytes = new Uint8Array(rows.rows * rows.columns * itemSizes[rows.dtype]);
    rows.read(0, rows.rows, bytes);
    return new Matrix(rows.dtype, shape, bytes);
  } finally {
    embedding.close();
  }
}
