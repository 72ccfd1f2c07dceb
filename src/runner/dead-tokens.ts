import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCorpus } from "../bridge/corpus.js";
import { readTokenizedCorpus } from "../bridge/tokenized-corpus.js";
import { runFiles } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";

/**
 * The tokens that never appear in the corpus: counted in the corpus that is given, or as the run recorded them.
 *
 * @param vocabulary rows of the embedding, one a token; tokens are bytes, or those of the run's tokenizer.
 * @throws {BhBridgeError} `CORPUS_INVALID`; what reading `run.json` throws; for a run with a tokenizer as `readTokenizedCorpus`.
 */
export async function deadTokensOf(run: string, corpus: string | undefined, vocabulary: number): Promise<number[]> {
  if (corpus === undefined) return readRunManifest(run).corpus.deadTokens.filter((token) => token < vocabulary);
  const tokenizer = join(run, runFiles.tokenizer);
  const facts = existsSync(tokenizer)
    ? await readTokenizedCorpus({ path: corpus, tokenizer, vocabulary, windowLength: 0, heldOut: 0, python: undefined })
    : await readCorpus(corpus, vocabulary, 0, 0);
  return facts.deadTokens; // tokens are counted, not windows: none is needed
}
