import type { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { addAnalysis, allAnalyses } from "./analyses.js";
import type { Analysis } from "./analysis.js";
import { analysisDocumentSchema } from "./analysis-document.js";

/**
 * Add an analysis of your own to every later `analyze` of this process: to its document and schema, to `--only` and to the tables of `bh-bridge analyze`.
 *
 * It takes part in the one pass over a history with its `observation`. Where that names no `module`, this thread scans the whole history by itself; see there.
 *
 * @returns the analysis, to find its part of a document by: `partOf(document, analysis)`.
 * @throws {BhBridgeError} `USAGE` when its name is no name, or is taken: by another analysis, or by another field of the document.
 */
export function registerAnalysis<const Name extends string, Schema extends z.ZodType, Range = undefined>(
  analysis: Analysis<Name, Schema, Range>,
): Analysis<Name, Schema, Range> {
  const { name } = analysis;
  if (!/^[a-zA-Z]\w*$/.test(name)) throw new BhBridgeError("USAGE", `"${name}" is no name for an analysis: it begins with a letter and has letters and digits`);
  const taken = [...Object.keys(analysisDocumentSchema.shape), ...allAnalyses().map((other) => other.name)];
  if (taken.includes(name)) throw new BhBridgeError("USAGE", `an analysis document has a field "${name}" already: give the analysis another name`);
  addAnalysis(analysis);
  return analysis;
}
