import { statSync } from "node:fs";
import { BhBridgeError } from "../../errors.js";

/**
 * The tokens that never appear in the corpus: as the run recorded them, or counted in the corpus that is given.
 *
 * @param vocabulary rows of the embedding, one a token; tokens are bytes.
 * @throws {BhBridgeError} `USAGE` when there is neither a run nor a corpus; `CORPUS_INVALID`; what reading `run.json` throws.
 */
export async function deadTokensOf(path: string, corpus: string | undefined, vocabulary: number): Promise<number[]> {
  if (corpus !== undefined) {
    const { readCorpus } = await import("../../bridge/corpus.js");
    // Tokens are counted, not windows: one is enough.
    return (await readCorpus(corpus, vocabulary, 0, 0)).deadTokens;
  }
  if (!statSync(path).isDirectory()) {
    throw new BhBridgeError("USAGE", `--rows dead needs to know the corpus, and ${path} is no run: name the text it was trained on with --corpus FILE`);
  }
  const { readRunManifest } = await import("../../runs/run-manifest.js");
  return readRunManifest(path).corpus.deadTokens.filter((token) => token < vocabulary);
}
