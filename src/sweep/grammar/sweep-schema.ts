import { z } from "zod";
import { schemaField } from "../../config/json-schema.js";
import type { RunInput } from "../../config/resolve-run-config.js";
import { executorNames } from "../executors/executors.js";
import { pruneSchema } from "../prune/prune-condition.js";
import { axisSchema, drawSchema, jsonValueSchema, randomSchema, sobolSchema, wholeRange } from "./axis.js";

/** Measures that a search can minimize or maximize. */
const searchMeasures = ["finalLoss", "C", "P", "unique", "displacement"] as const;

/** A search by Optuna: points are requested in groups, based on earlier results. */
export const searchSchema = z
  .strictObject({
    trials: z.int().min(1).max(10_000).describe("Total number of points; each is trained with every seed."),
    seed: z.int().min(0).max(0xffff_ffff).default(0).describe("Seed of the draws, not of the trainings."),
    over: z.record(z.string(), drawSchema).describe("Range of each field: a list, {uniform: [low, high]}, {log: […]} or {int: […]}."),
    minimize: z.enum(searchMeasures).optional().describe("Measure to minimize: its mean over the seeds."),
    maximize: z.enum(searchMeasures).optional().describe("Measure to maximize: its mean over the seeds."),
    together: z.int().min(1).max(1000).default(4).describe("Points to request at a time, and to train in parallel."),
  })
  .refine(({ minimize, maximize }) => (minimize === undefined) !== (maximize === undefined), { error: "set either minimize or maximize", path: ["minimize"] });

export type SearchSpec = z.output<typeof searchSchema>;

const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const accepted = "expected a seed, a list of seeds, or a range such as 42..51";

export const seedsSchema = z
  .union([seed, z.array(seed).min(1), z.string().refine((text) => wholeRange(text)?.every((each) => seed.safeParse(each).success), { error: accepted })], {
    error: accepted,
  })
  .superRefine((seeds, context) => {
    const problem = seedsProblem(seeds);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .describe("Seeds that every point is trained with: a list, a range (42..51), or one seed.");

/** Problems with listed seeds: a repeated seed would count one run twice, and a descending range is usually a typing mistake. */
function seedsProblem(seeds: number | number[] | string): string | undefined {
  const all = seedsOf(seeds);
  const [first = 0] = all;
  const last = all.at(-1) ?? first;
  if (typeof seeds === "string" && first > last) return `the range runs backwards; did you mean ${last}..${first}?`;
  const seen = new Set<number>();
  const repeated = all.find((each) => seen.size === seen.add(each).size);
  return repeated === undefined ? undefined : `seed ${repeated} is listed more than once; list each seed once`;
}

/** The seeds in listing order. */
export function seedsOf(seeds: z.output<typeof seedsSchema>): number[] {
  return typeof seeds === "string" ? (wholeRange(seeds) ?? []) : [seeds].flat();
}

/** Configuration values, nested or by dotted path. */
export const valuesSchema = z.record(z.string(), jsonValueSchema);

/** The common first fields of sweeps and experiments. @param training `trial` or `run`. */
export function writtenHead(kind: "sweep" | "experiment", training: string) {
  return {
    $schema: schemaField,
    name: z.string().min(1).max(200).optional().describe(`Name of the ${kind} (default: the file name).`),
    base: z
      .union([z.string().min(1), valuesSchema])
      .optional()
      .describe(`What every ${training} starts from: a preset, a configuration file, or the fields themselves.`),
    executor: z
      .enum(executorNames)
      .optional()
      .describe(`Where to train each ${training}, unless --executor is given: ${executorNames.join(", ")}.`),
  };
}

/** The content of a sweep file. */
export const sweepSchema = z.strictObject({
  ...writtenHead("sweep", "trial"),
  grid: z.record(z.string(), axisSchema).optional().describe("Axes by field: every combination of their values is trained."),
  zip: z.record(z.string(), axisSchema).optional().describe("Linked axes by field, of equal length: all first values together, then all second values, …"),
  cases: z.array(valuesSchema).min(1).optional().describe("Further trials besides the combinations."),
  exclude: z.array(valuesSchema).min(1).optional().describe("Combinations to omit: those with all of these values."),
  seeds: seedsSchema.optional(),
  random: randomSchema.optional().describe("Further trials whose values are drawn independently."),
  sobol: sobolSchema.optional().describe("Further trials with values from a Sobol sequence."),
  optuna: searchSchema.optional().describe("Points chosen by Optuna from earlier results; replaces all other points."),
  prune: pruneSchema.optional().describe("When to stop a trial early; it then counts as pruned, not as failed."),
});

type SweepInput = z.input<typeof sweepSchema>;
/** A sweep with its defaults. */
export type SweepSpec = z.output<typeof sweepSchema>;

/** A sweep in a program; its base has the type of a configuration. */
export interface SweepDefinition extends Omit<SweepInput, "base"> {
  /** A preset, a configuration file, or the fields themselves. */
  base?: string | RunInput;
}

/** Type a sweep in a TypeScript file: `export default defineSweep({ … })`. */
export function defineSweep(sweep: SweepDefinition): SweepDefinition {
  return sweep;
}
