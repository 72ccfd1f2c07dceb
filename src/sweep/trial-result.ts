import { z } from "zod";
import { censusShape } from "../analysis/document-fields.js";
import { finalLoss, type TrainResult, trainResultSchema } from "../runner/train-result.js";

const { rows, unique, C, P, populations } = censusShape;
const { displacement, verdict } = trainResultSchema.shape;

/** What came out of a trial, in a few numbers; its run has the rest. */
export const trialResultSchema = z.strictObject({
  steps: z.int().nonnegative(),
  seconds: z.number(),
  /** Whether every recorded weight is a finite number at the end. */
  finite: z.boolean(),
  /** As `finalLoss` says. */
  finalLoss: z.number().nullable(),
  census: z.strictObject({ rows, unique, C, P, populations }),
  displacement,
  verdict,
});
export type TrialResult = z.output<typeof trialResultSchema>;

/** The result of a trial, from that of its run. */
export function trialResult(result: TrainResult): TrialResult {
  const { steps, seconds, finite, census, displacement: moved, verdict: judged } = result;
  return {
    steps: steps.done,
    seconds,
    finite,
    finalLoss: finalLoss(result),
    census: { rows: census.rows, unique: census.unique, C: census.C, P: census.P, populations: census.populations },
    displacement: moved,
    verdict: judged,
  };
}
