import { z } from "zod";
import { exactNumber, exactNumberSchema } from "../analysis/document-fields.js";
import { readEvents } from "../runs/read-events.js";

/** The first step at which two runs had other losses. */
export const differingLossSchema = z.strictObject({ step: z.int().nonnegative(), a: exactNumberSchema, b: exactNumberSchema });

/** What a comparison of the losses of two runs found; `reason` says why they are not equal where no loss of a common step differs. */
export const lossComparisonSchema = z.strictObject({ equal: z.boolean(), first: differingLossSchema.nullable(), reason: z.string().nullable() });
export type LossComparison = z.output<typeof lossComparisonSchema>;

/**
 * Compare the losses of two runs, of every step that both have taken, in all their bits.
 *
 * @param until the step that ends the comparison; where it is left out, both have to end at the same step.
 * @throws {BhBridgeError} as `readEvents`.
 */
export function compareLosses(a: string, b: string, until = Number.POSITIVE_INFINITY): LossComparison {
  const [left, right] = [lossesOf(a, until), lossesOf(b, until)];
  for (const [step, loss] of left) {
    const other = right.get(step);
    if (other !== undefined && !Object.is(loss, other)) return { equal: false, first: { step, a: exactNumber(loss), b: exactNumber(other) }, reason: null };
  }
  const ends = [left, right].map((losses) => Math.max(0, ...losses.keys()));
  return ends[0] === ends[1]
    ? { equal: true, first: null, reason: null }
    : { equal: false, first: null, reason: `a ends at step ${ends[0]}, b at step ${ends[1]}` };
}

/** The loss of each step that a run has taken, up to one. @throws {BhBridgeError} as `readEvents`. */
export function lossesOf(run: string, until = Number.POSITIVE_INFINITY): Map<number, number> {
  return new Map(readEvents(run).flatMap((event) => (event.type === "step_end" && event.global_step <= until ? [[event.global_step, event.loss]] : [])));
}
