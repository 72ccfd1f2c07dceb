import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The text that the notebook was trained on where it is beside the project, else a text of a few sentences, written into `folder`. */
export function corpusFile(folder: string): string {
  const notebooks = resolve("../shared/corpus/training_corpus.txt");
  if (existsSync(notebooks)) return notebooks;
  const path = join(folder, "corpus.txt");
  const sentences = Array.from(
    { length: 400 },
    (_, index) => `Of ${index} things, the ${index % 7}th was a ${"quick brown fox jumped".slice(0, 5 + (index % 17))}.\n`,
  );
  writeFileSync(path, sentences.join(""));
  return path;
}
