import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { dtypes } from "../formats/matrix.js";
import { addAnalysis, allAnalyses, ownAnalyses } from "./analyses.js";
import type { Analysis } from "./analysis.js";
import { censusShape, count, counts } from "./document-fields.js";
import { degeneracies } from "./verdict.js";

/** What every document begins with. */
const head = {
  schema: z.literal("bh-bridge/analysis@1"),
  source: z.string(),
  states: count.describe("States that have been recorded; state 0 is before training, step t leads to state t"),
  tokens: count,
  dims: count,
  dtype: z.enum(dtypes),
  steps: counts.optional().describe("The training step of each state, where state i is not step i"),
  tokenIds: counts
    .optional()
    .describe("The token of each row, where chosen tokens alone were recorded: entry i of every per-token array is of the token tokenIds[i]"),
  degenerate: z.array(z.enum(degeneracies)).readonly().describe("Why the history cannot be scored; empty when it is sound"),
  nonfiniteTokens: counts.optional().describe("Tokens with NaN or infinity in some state"),
  finalCensus: z
    .strictObject({ ...censusShape, members: censusShape.members.optional() })
    .describe("The black holes of the last state, by descending population"),
};

/** The parts of analyses, each of which may be missing. */
type Parts<Analyses extends readonly Analysis[]> = { [Each in Analyses[number] as Each["name"]]: z.ZodOptional<Each["schema"]> };

/** The schema of a document with the parts of these analyses. */
function documentSchemaOf<const Analyses extends readonly Analysis[]>(analyses: Analyses) {
  const parts = Object.fromEntries(analyses.map(({ name, schema }) => [name, schema.optional()])) as Parts<Analyses>;
  return z.strictObject({ ...head, ...parts, notes: z.array(z.string()).readonly().describe("What was left out, and why") });
}

/** What `analyze` finds out about a history: `bh-bridge/analysis@1`, also written into a run as `analysis.json`. */
export const analysisDocumentSchema = documentSchemaOf(ownAnalyses);

export type AnalysisDocument = z.output<typeof analysisDocumentSchema>;

/** The schema of the documents that `analyze` makes now: that of bh-bridge's own analyses, and the parts of registered ones. */
export function currentAnalysisSchema(): z.ZodType<AnalysisDocument> {
  // A list that grows has no names for the compiler: those of bh-bridge's own analyses are in it all the same.
  const schema: z.ZodType = documentSchemaOf(allAnalyses());
  return schema as z.ZodType<AnalysisDocument>;
}

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
