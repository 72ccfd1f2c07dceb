import { join } from "node:path";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { durableWrite } from "./durable-write.js";

const fileName = "analysis.json";

/**
 * Write an analysis into a run, whole or not at all; an older one is replaced.
 *
 * @returns the file's path.
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`.
 */
export function writeAnalysis(directory: string, document: AnalysisDocument): string {
  const path = join(directory, fileName);
  durableWrite(path, `${JSON.stringify(document)}\n`);
  return path;
}
