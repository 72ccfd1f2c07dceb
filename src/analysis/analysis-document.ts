import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { dtypes } from "../formats/matrix.js";
import { addAnalysis, allAnalyses, ownAnalyses } from "./analyses.js";
import type { Analysis } from "./analysis.js";
import { censusShape, count, counts } from "./document-fields.js";
import { degeneracies } from "./verdict.js";

/** Fields of every document. */
const head = {
  schema: z.literal("bh-bridge/analysis@1"),
  source: z.string(),
  states: count.describe("Number of recorded snapshots; snapshot 0 is before training, step t leads to snapshot t"),
  tokens: count,
  dims: count,
  dtype: z.enum(dtypes),
  steps: counts.optional().describe("Training step of each snapshot, if snapshot i is not step i"),
  tokenIds: counts.optional().describe("Token of each row, if only chosen tokens were recorded: entry i of a per-token array belongs to tokenIds[i]"),
  degenerate: z.array(z.enum(degeneracies)).readonly().describe("Why the history cannot be scored; empty if it can"),
  nonfiniteTokens: counts.optional().describe("Tokens with NaN or infinity in some snapshot"),
  finalCensus: z
    .strictObject({ ...censusShape, members: censusShape.members.optional() })
    .describe("Black holes of the last snapshot, by descending population"),
};

type Parts<Analyses extends readonly Analysis[]> = { [Each in Analyses[number] as Each["name"]]: z.ZodOptional<Each["schema"]> };

function documentSchemaOf<const Analyses extends readonly Analysis[]>(analyses: Analyses) {
  const parts = Object.fromEntries(analyses.map(({ name, schema }) => [name, schema.optional()])) as Parts<Analyses>;
  return z.strictObject({ ...head, ...parts, notes: z.array(z.string()).readonly().describe("Omitted fields with the reason, and warnings") });
}

/** The result of `analyze`: `bh-bridge/analysis@1`, also written into a run as `analysis.json`. */
export const analysisDocumentSchema = documentSchemaOf(ownAnalyses);

export type AnalysisDocument = z.output<typeof analysisDocumentSchema>;

/** The schema of documents with the parts of built-in and registered analyses. */
export function currentAnalysisSchema(): z.ZodType<AnalysisDocument> {
  // The compiler does not know the names in a growing list, but the built-in ones are always in it.
  const schema: z.ZodType = documentSchemaOf(allAnalyses());
  return schema as z.ZodType<AnalysisDocument>;
}

/**
 * Add your own analysis to every later `analyze` of this process: to its document, schema and tables, and to `--only`. Its `observation` takes part in the one
 * pass over a history. If the observation names no `module`, one thread scans the whole history.
 * @returns the analysis, for `partOf(document, analysis)`.
 * @throws {BhBridgeError} `USAGE` if the name is invalid, or used by another analysis or field of the document.
 */
export function registerAnalysis<const Name extends string, Schema extends z.ZodType, Range = undefined>(
  analysis: Analysis<Name, Schema, Range>,
): Analysis<Name, Schema, Range> {
  const { name } = analysis;
  if (!/^[a-zA-Z]\w*$/.test(name))
    throw new BhBridgeError("USAGE", `"${name}" is not a valid name of an analysis: use a letter followed by letters and digits`);
  const taken = [...Object.keys(analysisDocumentSchema.shape), ...allAnalyses().map((other) => other.name)];
  if (taken.includes(name)) throw new BhBridgeError("USAGE", `an analysis document already has a field "${name}": give the analysis another name`);
  addAnalysis(analysis);
  return analysis;
}
