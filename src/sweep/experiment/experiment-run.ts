import { z } from "zod";
import { censusShape } from "../../analysis/document-fields.js";
import { degeneracies } from "../../analysis/verdict.js";

const figure = z.number().nullable();

/** One run of an experiment, as its verdict sees it. */
export const experimentRunSchema = z.strictObject({
  arm: z.string(),
  seed: z.int().nonnegative(),
  run: z.string().describe("Path of the run directory"),
  score: z.strictObject({ result: z.enum(["null", "positive", "degenerate"]), reason: z.string() }).describe("The run by itself, by the notebook's rule"),
  degenerate: z.array(z.enum(degeneracies)).readonly().describe("Why its numbers mean nothing; empty when they do"),
  census: z.strictObject(censusShape).omit({ members: true, texts: true }).describe("Of the last state"),
  displacement: z.strictObject({ float64: figure, float32: figure, bfloat16: figure }),
  finalLoss: figure,
  values: z.record(z.string(), figure).describe("By measure, but for the score; null for one that the run does not have"),
});
export type ExperimentRun = z.output<typeof experimentRunSchema>;

/** The value that a run has for a measure; null where it has none, or where nothing that it says counts. A score is 1 for positive and 0 for null. */
export function measuredValue({ degenerate, score, values }: ExperimentRun, measure: string): number | null {
  if (degenerate.length > 0) return null;
  if (measure === "score") return score.result === "degenerate" ? null : Number(score.result === "positive");
  return values[measure] ?? null;
}
