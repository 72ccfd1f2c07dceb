import { z } from "zod";
import { confoundSchema } from "./confounds.js";
import { experimentRunSchema } from "./experiment-run.js";
import { experimentVerdictSchema } from "./experiment-verdict.js";
import { lookSchema } from "./looks.js";
import { measureComparisonSchema } from "./paired-statistics.js";

/** What came out of an experiment: `bh-bridge/experiment@1`, the document of `experiment --json`, also written into its directory as `result.json`. */
export const experimentDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/experiment@1"),
  directory: z.string(),
  name: z.string(),
  seeds: z.array(z.int().nonnegative()).readonly().describe("Those that the plan has"),
  control: z.array(experimentRunSchema).readonly().describe("The runs of the first arm"),
  treatment: z.array(experimentRunSchema).readonly().describe("The runs of all other arms"),
  measures: z.array(measureComparisonSchema).readonly().describe("Every measure of every other arm against the first, those that decide first"),
  confounds: z.array(confoundSchema).readonly(),
  comparedTensors: z.array(z.string()).readonly().describe("Tensors whose values before the first step were compared, by their names in PyTorch"),
  traps: z
    .array(z.strictObject({ what: z.string(), corrected: z.string() }))
    .readonly()
    .describe("The notebook's traps that all arms share, each with the setting that corrects it"),
  looks: z.array(lookSchema).readonly().optional().describe("Verdicts that were given before, over other seeds"),
  verdict: experimentVerdictSchema,
});
export type ExperimentDocument = z.output<typeof experimentDocumentSchema>;
