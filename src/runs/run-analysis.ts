import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AnalysisDocument, analysisDocumentSchema } from "../analysis/analysis-document.js";
import { BhBridgeError } from "../errors.js";
import { requireUnchanged, writeCovered } from "./checksums.js";
import { requireRegular } from "./file-types.js";
import { readRunDocument } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";

/** Every analysis of ours begins so, whatever its version. */
const beginning = '{"schema":"bh-bridge/analysis@';

/**
 * Write an analysis into a run, whole or not at all; an older one is replaced, and nothing else is.
 *
 * @returns the file's path.
 * @throws {BhBridgeError} `DISK_FULL`; `FILE_UNWRITABLE`, also where the name is taken by something else.
 */
export function writeAnalysis(directory: string, document: AnalysisDocument): string {
  const path = join(directory, runFiles.analysis);
  requireRegular(path);
  if (existsSync(path) && !readFileSync(path, "utf8").startsWith(beginning)) {
    throw new BhBridgeError("FILE_UNWRITABLE", `${path} was not written by bh-bridge, and is not replaced: move it elsewhere`);
  }
  writeCovered(directory, runFiles.analysis, `${JSON.stringify(document)}\n`);
  return path;
}

/** With the parts of analyses that another program registered. */
const writtenSchema = analysisDocumentSchema.loose();

/** The analysis that was written into a run; nothing where none was. @throws {BhBridgeError} as `readRunDocument` and `requireUnchanged`. */
export function readAnalysis(directory: string): AnalysisDocument | undefined {
  requireUnchanged(directory, runFiles.analysis);
  return readRunDocument(directory, runFiles.analysis, writtenSchema);
}
