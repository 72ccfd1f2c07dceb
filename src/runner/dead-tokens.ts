import { readCorpus } from "../bridge/corpus.js";
import { readRunManifest } from "../runs/run-manifest.js";

/**
 * The tokens that never appear in the corpus: counted in the corpus that is given, or as the run recorded them.
 *
 * @param vocabulary rows of the embedding, one a token; tokens are bytes.
 * @throws {BhBridgeError} `CORPUS_INVALID`; what reading `run.json` throws.
 */
export async function deadTokensOf(run: string, corpus: string | undefined, vocabulary: number): Promise<number[]> {
  if (corpus === undefined) return readRunManifest(run).corpus.deadTokens.filter((token) => token < vocabulary);
  return (await readCorpus(corpus, vocabulary, 0, 0)).deadTokens; // tokens are counted, not windows: none is needed
}
