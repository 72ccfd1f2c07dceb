import { z } from "zod";
import { wireNumberSchema } from "../protocol/wire-number.js";
import { sweepTrialSchema } from "./sweep-document.js";

const count = z.int().nonnegative();
const trial = sweepTrialSchema;

const plannedEventSchema = z.strictObject({
  kind: z.literal("planned"),
  name: z.string(),
  directory: z.string(),
  /** How many trials will be trained side by side. */
  workers: count,
  trials: z.array(trial),
  /** Steps of each trial that is left to train, by its identity. */
  steps: z.record(z.string(), count),
});

/** What happens while many runs are trained: the beginning, then what becomes of each trial. */
export const trialEventSchema = z.discriminatedUnion("kind", [
  plannedEventSchema,
  z.strictObject({ kind: z.literal("started"), trial, fromStep: count }),
  z.strictObject({ kind: z.literal("step"), trial, step: count, loss: wireNumberSchema }),
  /** `completed`, `pruned` and `failed` are ends; `lost` will be gone on with now, `planned` when the same is started again. */
  z.strictObject({ kind: z.literal("ended"), trial }),
]);
export type TrialEvent = z.output<typeof trialEventSchema>;

/** The beginning: where the trials lie, and what there is of them. */
export type PlannedEvent = z.output<typeof plannedEventSchema>;
