import { basename } from "node:path";
import type { CorpusFacts } from "./run-manifest.js";

const percent = 100;
/** Of a share's percentage. */
const digits = 3;

/** A corpus for people, without folders: the name of its file; of several their names, each with its share of the windows. */
export function corpusName({ path, files, windows }: Pick<CorpusFacts, "path" | "files" | "windows">): string {
  if (!files) return basename(path);
  return files.map((file) => `${basename(file.path)} (${Number(((percent * file.windows) / windows).toPrecision(digits))} %)`).join(", ");
}
