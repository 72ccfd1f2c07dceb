import { z } from "zod";
import { pruneSchema } from "../prune/prune-condition.js";
import { searchSchema } from "../search/search-schema.js";
import { axisSchema } from "./axis.js";
import { randomSchema, sobolSchema } from "./drawn-points.js";
import { seedsSchema } from "./seeds.js";
import { valuesSchema, writtenHead } from "./written-head.js";

/** A sweep as it is written: what is trained, and what varies. */
export const sweepSchema = z.strictObject({
  ...writtenHead("sweep", "trial"),
  grid: z.record(z.string(), axisSchema).optional().describe("Axes by field: every combination of their values is trained."),
  zip: z.record(z.string(), axisSchema).optional().describe("Linked axes by field, equally long: the first values together, then the second ones, …"),
  cases: z.array(valuesSchema).min(1).optional().describe("Further trials as they stand, beside the combinations."),
  exclude: z.array(valuesSchema).min(1).optional().describe("Combinations to leave out: those that have all of these values."),
  seeds: seedsSchema.optional(),
  random: randomSchema.optional().describe("Further trials whose values are drawn independently."),
  sobol: sobolSchema.optional().describe("Further trials whose values are those of a Sobol sequence."),
  optuna: searchSchema.optional().describe("In place of all other points: those that Optuna asks for, by what came out of the ones before."),
  prune: pruneSchema.optional().describe("When a trial is given up; it then counts as pruned, not as failed."),
});

/** A sweep as it is written. */
export type SweepInput = z.input<typeof sweepSchema>;
/** A sweep with its defaults. */
export type SweepSpec = z.output<typeof sweepSchema>;
