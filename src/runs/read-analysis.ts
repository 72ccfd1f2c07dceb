import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AnalysisDocument, analysisDocumentSchema } from "../analysis/analysis-document.js";
import { BhBridgeError } from "../errors.js";
import { runFiles } from "./run-layout.js";

/** With the parts of analyses that another program registered. */
const writtenSchema = analysisDocumentSchema.loose();

/**
 * The analysis that was written into a run; nothing where none was.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT`.
 */
export function readAnalysis(directory: string): AnalysisDocument | undefined {
  const path = join(directory, runFiles.analysis);
  if (!existsSync(path)) return undefined;
  try {
    return writtenSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is not an analysis of bh-bridge: ${String(cause)}`, { cause });
  }
}
