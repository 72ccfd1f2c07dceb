import { z } from "zod";

/** Metrics of a condition: black holes, their population and the unique rows of the recorded rows; the loss of the step. */
export const prunedMetrics = ["C", "P", "unique", "loss"] as const;
type PrunedMetric = (typeof prunedMetrics)[number];

const comparisons = {
  "<=": (value: number, bound: number) => value <= bound,
  ">=": (value: number, bound: number) => value >= bound,
  "<": (value: number, bound: number) => value < bound,
  ">": (value: number, bound: number) => value > bound,
} as const;
type Comparison = keyof typeof comparisons;

const comparisonPattern = /^\s*(C|P|unique|loss)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$/;
const accepted = `"allFrozen", {noMotion: steps}, or a comparison of ${prunedMetrics.join(", ")} with a number, for example "C <= 1"`;

const conditionSchema = z.union(
  [
    z.literal("allFrozen").describe("No recorded row has moved since the previous check."),
    z.strictObject({ noMotion: z.int().min(1).describe("Number of steps in which no recorded row has moved.") }),
    z.string().regex(comparisonPattern).describe('A comparison of C, P, unique or loss with a number, for example "C <= 1".'),
  ],
  { error: `expected ${accepted}` },
);
type PruneCondition = z.output<typeof conditionSchema>;

/** When to prune a trial: the conditions, and how often to check them. */
export const pruneSchema = z.strictObject({
  every: z.int().min(1).default(100).describe("Steps between checks."),
  when: z.union([conditionSchema, z.array(conditionSchema).min(1)], { error: `expected ${accepted}, or a list of these` }),
});
export type Prune = z.output<typeof pruneSchema>;

/** The metrics of a training at a check. */
export interface PruneFacts extends Record<PrunedMetric, number> {
  /** Steps since a recorded row last moved. */
  stillSteps: number;
}

/** The first condition that holds, as recorded in the ledger: `C <= 1 (C is 1)`; undefined if none does. */
export function prunedBecause({ every, when }: Prune, facts: PruneFacts): string | undefined {
  return [when]
    .flat()
    .map((condition) => reasonOf(condition, every, facts))
    .find((reason) => reason !== undefined);
}

function reasonOf(condition: PruneCondition, every: number, facts: PruneFacts): string | undefined {
  if (condition === "allFrozen") return facts.stillSteps >= every ? `allFrozen (no row has moved for ${facts.stillSteps} steps)` : undefined;
  if (typeof condition === "object") {
    return facts.stillSteps >= condition.noMotion ? `noMotion: ${condition.noMotion} (no row has moved for ${facts.stillSteps} steps)` : undefined;
  }
  const [, metric, comparison, bound] = comparisonPattern.exec(condition) ?? [];
  const value = facts[metric as PrunedMetric];
  return comparisons[comparison as Comparison](value, Number(bound)) ? `${condition.trim()} (${metric} is ${value})` : undefined;
}

/** Steps to look back: the longest motionless time that a condition requires. */
export function stepsToLookBack({ every, when }: Prune): number {
  return Math.max(0, ...[when].flat().map((condition) => (condition === "allFrozen" ? every : typeof condition === "object" ? condition.noMotion : 0)));
}
