import { type ProgressLine, progressLineSchema } from "../../src/commands/terminal/terminal-documents.js";

/** What a command wrote to stderr under `--progress json`; every line of it has to be one that the schema knows. */
export function progressLines(stderr: string): ProgressLine[] {
  return stderr
    .trimEnd()
    .split("\n")
    .map((line) => progressLineSchema.parse(JSON.parse(line)));
}
