import { z } from "zod";
import { censusShape } from "../analysis/census-shape.js";
import { type TrainResult, trainResultSchema } from "../runner/train-result.js";

const { rows, unique, C, P, populations } = censusShape;
const { displacement, verdict } = trainResultSchema.shape;

/** What came out of a trial, in a few numbers; its run has the rest. */
export const trialResultSchema = z.strictObject({
  steps: z.int().nonnegative(),
  seconds: z.number(),
  /** Whether every recorded weight is a finite number at the end. */
  finite: z.boolean(),
  /** Mean training loss since the log before, at the last log; null where none was logged, or it is not finite. */
  finalLoss: z.number().nullable(),
  census: z.strictObject({ rows, unique, C, P, populations }),
  displacement,
  verdict,
});
export type TrialResult = z.output<typeof trialResultSchema>;

/** The result of a trial, from that of its run. */
export function trialResult({ steps, seconds, finite, loss, census, displacement: moved, verdict: judged }: TrainResult): TrialResult {
  return {
    steps: steps.done,
    seconds,
    finite,
    finalLoss: loss.at(-1)?.[1] ?? null,
    census: { rows: census.rows, unique: census.unique, C: census.C, P: census.P, populations: census.populations },
    displacement: moved,
    verdict: judged,
  };
}
