import { createHash } from "node:crypto";
import { z } from "zod";
import { count } from "../../text/count.js";
import { mostExactValues } from "../statistics/sign-flip-test.js";
import { measureProblem } from "./measures.js";

/** Differences of the mean that count as none, where the rules do not say: half a black hole. */
const usualMargins: Readonly<Record<string, number>> = { deadC: 0.5 };

/** Fewer seeds decide nothing. */
export const fewestSeeds = 3;

/** How an experiment is judged, as it is written: all of it optional, and fixed before the first step. */
export const rulesSchema = z
  .strictObject({
    score: z
      .enum(["notebook"])
      .default("notebook")
      .describe("How each run is scored by itself. `notebook`: positive when dead tokens that shared a black hole at the start no longer share one."),
    decides: z
      .array(z.string().min(1))
      .min(1)
      .default(["score", "deadC"])
      .describe("Measures that the verdict rests on; every other one is described, not judged."),
    margin: z
      .record(z.string(), z.number().min(0))
      .optional()
      .describe("By deciding measure, how far the means of two arms may lie apart and count as alike; 0 where left out, 0.5 for deadC."),
    alpha: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.05)
      .describe(
        "Largest chance that a difference is claimed where there is none, over all deciding measures and arms (Holm). Intervals have the level 1 − alpha.",
      ),
  })
  .superRefine(({ decides, margin = {} }, context) => {
    for (const [at, name] of decides.entries()) {
      const problem = decides.indexOf(name) < at ? `names ${JSON.stringify(name)} twice` : measureProblem(name);
      if (problem !== undefined) context.addIssue({ code: "custom", path: ["decides", at], message: problem });
    }
    for (const name of Object.keys(margin).filter((each) => !decides.includes(each))) {
      context.addIssue({ code: "custom", path: ["margin", name], message: `${name} decides nothing: a margin belongs to one of ${decides.join(", ")}` });
    }
  });
export type RulesInput = z.input<typeof rulesSchema>;

/** The rules of an experiment with nothing left out. */
export interface Rules {
  readonly score: "notebook";
  readonly decides: readonly string[];
  /** Of every deciding measure. */
  readonly margin: Readonly<Record<string, number>>;
  readonly alpha: number;
}

/** The rules as they will be applied. */
export function appliedRules({ score, decides, margin = {}, alpha }: z.output<typeof rulesSchema>): Rules {
  return { score, decides, margin: Object.fromEntries(decides.map((name) => [name, margin[name] ?? usualMargins[name] ?? 0])), alpha };
}

/** SHA-256 of rules, in hex: two experiments with the same one were judged alike. */
export function rulesHash({ score, decides, margin, alpha }: Rules): string {
  return createHash("sha256")
    .update(JSON.stringify({ score, decides, margin: decides.map((name) => margin[name]), alpha }))
    .digest("hex");
}

/** The level of the intervals: `95 %`. */
export function shownLevel({ alpha }: Rules): string {
  return `${Number((100 * (1 - alpha)).toPrecision(6))} %`;
}

/** The rules in words, a sentence each. @param treatments number of arms beside the control. */
export function statedRules(rules: Rules, treatments: number): string[] {
  const { decides, margin, alpha } = rules;
  const family = decides.length * treatments;
  return [
    "score: each run by itself, by the notebook's rule: positive when dead tokens that shared a black hole at the start no longer share one, else null",
    `decides: ${decides.join(", ")}; every other measure is described, not judged`,
    `margin: means that lie at most so far apart count as alike: ${decides.map((name) => `${name} ${margin[name]}`).join(", ")}`,
    `alpha: ${alpha}, two-sided, after Holm's correction over ${count(family, "test")} (${count(decides.length, "deciding measure")} × ${count(treatments, "arm")} against the control)`,
    `test: pairs by seed; score by McNemar's exact test, every other measure by the sign-flip test over all assignments up to ${mostExactValues} pairs, and over 100,000 drawn ones (seed 0) beyond`,
    "positive: a deciding measure has a corrected p of at most alpha, and its means lie farther apart than its margin",
    `null: no run of the treatment scores positive, no pair lacks a deciding measure, and the ${shownLevel(rules)} intervals of every deciding measure (Student's t, and that of the sign-flip test where the pairs allow one) lie inside its margin`,
    `degenerate: an arm's runs cannot be scored. inconclusive: all else, fewer than ${fewestSeeds} pairs, and as long as a planned run is missing`,
  ];
}
