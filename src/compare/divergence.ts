import { z } from "zod";
import { differingLossSchema } from "./compare-losses.js";
import { differingRecordSchema } from "./compare-recordings.js";
import { tracedDifferenceSchema } from "./compare-traces.js";

/** Where two trainings part, when both are trained again. */
export const divergenceSchema = z.strictObject({
  /** Absolute paths. */
  a: z.string(),
  b: z.string(),
  /** The last step that both were trained again to. */
  until: z.int().positive(),
  /** The newest step up to which all weights that both have, and what the optimizers keep for them, are equal in every bit; null when the first state is not. */
  equalTo: z.int().nonnegative().nullable(),
  /** The step that `first` and `module` are of; null when it came out the same in every bit. */
  step: z.int().positive().nullable(),
  /** The first difference of that step, in the order in which it is computed. */
  first: tracedDifferenceSchema.nullable(),
  /** The first in what a module gets, gives, or has as a gradient; null when the step differs in none of these. */
  module: tracedDifferenceSchema.nullable(),
  /** Which of them did not come out as they were recorded, and the first bit and loss in which they did not: the recorded value, and the one of today. */
  unlike: z.array(z.strictObject({ which: z.enum(["a", "b"]), history: differingRecordSchema.nullable(), loss: differingLossSchema.nullable() })),
});
export type Divergence = z.output<typeof divergenceSchema>;
