import { z } from "zod";
import { count } from "../../text/count.js";
import type { Interval } from "../statistics/interval.js";
import { upperBoundOfNone } from "../statistics/upper-bound-of-none.js";
import { type ExperimentRun, measuredValue } from "./experiment-run.js";
import type { ExperimentEvidence, MeasureComparison } from "./paired-statistics.js";
import { fewestSeeds, type Rules, rulesHash, shownLevel, statedRules } from "./rules.js";
import { shownBound, shownFigure, shownP } from "./shown-figure.js";

const result = z.enum(["positive", "null", "inconclusive", "degenerate"]);
const armVerdictSchema = z.strictObject({ arm: z.string(), result, reason: z.string() });
type ArmVerdict = z.output<typeof armVerdictSchema>;

/** What an experiment says about its question. */
export const experimentVerdictSchema = z.strictObject({
  result,
  reason: z.string(),
  rules: z.array(z.string()).readonly().describe("The rules as they were applied, a sentence each"),
  rulesHash: z.string().describe("SHA-256 of the rules: they stood before the first step"),
  arms: z.array(armVerdictSchema).readonly().describe("Every treatment against the control"),
});
export type ExperimentVerdict = z.output<typeof experimentVerdictSchema>;

/** A sentence names so many seeds. */
const maxSeedsTold = 10;

/**
 * Judge every treatment against the control, and the experiment by them.
 *
 * With several treatments the experiment is positive when one of them is, null when all are, degenerate when all are, else inconclusive.
 *
 * @param comparisons those of `pairedStatistics`.
 */
export function experimentVerdict(evidence: ExperimentEvidence, comparisons: readonly MeasureComparison[]): ExperimentVerdict {
  const { rules, treatments } = evidence;
  const family = rules.decides.length * treatments.length;
  const arms = treatments.map((arm) => {
    const deciding = comparisons.filter((comparison) => comparison.arm === arm && comparison.decides);
    return { arm, ...judge({ ...evidence, arm, family }, deciding) };
  });
  const [only] = arms;
  return {
    result: arms.length === 1 && only ? only.result : overall(arms.map((arm) => arm.result)),
    reason: arms.length === 1 && only ? only.reason : arms.map(({ arm, result: each, reason }) => `${arm} ${each}: ${reason}`).join(". "),
    rules: statedRules(rules, treatments.length),
    rulesHash: rulesHash(rules),
    arms,
  };
}

function overall(results: readonly ArmVerdict["result"][]): ArmVerdict["result"] {
  if (results.includes("positive")) return "positive";
  const [first] = results;
  return first !== undefined && results.every((each) => each === first) ? first : "inconclusive";
}

/** One treatment and what it is judged by. */
interface Case extends ExperimentEvidence {
  readonly arm: string;
  /** Tests that Holm's correction goes over. */
  readonly family: number;
}

function judge(each: Case, deciding: readonly MeasureComparison[]): Omit<ArmVerdict, "arm"> {
  const unscored = unscorableArms(each);
  if (unscored.length > 0) return { result: "degenerate", reason: unscored.join("; ") };
  const missing = missingRuns(each);
  if (missing.length > 0) return { result: "inconclusive", reason: `${missing.join("; ")}: the rules are for all of the plan` };
  const pairs = Math.min(...deciding.map(({ difference }) => difference.n));
  if (pairs < fewestSeeds) return { result: "inconclusive", reason: readingByRun(each, pairs) };
  const different = deciding.filter((comparison) => differs(comparison, each.rules));
  if (different.length > 0) return { result: "positive", reason: differentReason(each, different) };
  const obstacles = [
    ...scoreObstacle(each),
    ...deciding.flatMap((one) => [gapObstacle(each, one), marginObstacle(one)].filter((found) => found !== undefined)),
  ];
  if (obstacles.length === 0) return { result: "null", reason: nullReason(each) };
  return { result: "inconclusive", reason: inconclusiveReason(each, deciding, obstacles) };
}

const runsOf = ({ runs }: ExperimentEvidence, arm: string): ExperimentRun[] => runs.filter((run) => run.arm === arm);
const positives = (runs: readonly ExperimentRun[]): number => runs.filter(({ score }) => score.result === "positive").length;

/** Why an arm cannot be judged: none of its runs has a deciding measure. */
function unscorableArms(each: Case): string[] {
  return [each.control, each.arm].flatMap((arm) => {
    const runs = runsOf(each, arm);
    const without = each.rules.decides.find((measure) => runs.every((run) => measuredValue(run, measure) === null));
    const [first] = runs;
    if (first === undefined || without === undefined) return [];
    const isScore = without === "score" || first.degenerate.length > 0;
    return isScore
      ? [`the runs of ${arm} cannot be scored: ${first.score.reason.replace(/^not scored: /, "")}`]
      : [`no run of ${arm} has the measure ${without}`];
  });
}

function missingRuns(each: Case): string[] {
  return [each.control, each.arm].flatMap((arm) => {
    const there = new Set(runsOf(each, arm).map(({ seed }) => seed));
    const missing = each.seeds.filter((seed) => !there.has(seed));
    if (missing.length === 0) return [];
    const told = missing.length > maxSeedsTold ? `${missing.slice(0, maxSeedsTold).join(", ")}, …` : missing.join(", ");
    return [`${arm} lacks ${count(missing.length, "run")} (${missing.length === 1 ? "seed" : "seeds"} ${told})`];
  });
}

/** What the notebook itself would say of each run, where there are too few for an answer over seeds. */
function readingByRun(each: Case, pairs: number): string {
  const readings = each.seeds.map((seed) => {
    const told = [each.control, each.arm].flatMap((arm) => runsOf(each, arm).filter((run) => run.seed === seed));
    return `seed ${seed}, ${told.map(({ arm, score }) => `${arm} ${score.result} (${score.reason})`).join(", ")}`;
  });
  return `${count(pairs, "pair")} of seeds cannot answer, ${fewestSeeds} are needed. The notebook's own reading of each run: ${readings.join("; ")}`;
}

function differs({ holm, difference, margin }: MeasureComparison, { alpha }: Rules): boolean {
  return holm !== null && holm <= alpha && difference.mean !== null && Math.abs(difference.mean) > (margin ?? 0);
}

function differentReason(each: Case, different: readonly MeasureComparison[]): string {
  return `${each.arm} differs from ${each.control}: ${different.map((comparison) => `${described(each, comparison)}, ${shownTest(comparison)}`).join("; ")}`;
}

/** `score: positive in 9 of 10 runs, in 0 of 10 of the control`, or a mean difference with its spread and interval. */
function described(each: Case, { measure, difference, control, treatment }: MeasureComparison): string {
  if (measure === "score") {
    const [before, after] = [each.control, each.arm].map((arm) => runsOf(each, arm));
    return `score positive in ${positives(after ?? [])} of ${count(treatment.n, "run")}, in ${positives(before ?? [])} of ${control.n} of the control`;
  }
  const interval = difference.signFlipInterval ?? difference.tInterval;
  const range = interval === null ? "" : `, ${shownLevel(each.rules)} interval ${shownInterval(interval)}`;
  return `${measure} by ${shownFigure(difference.mean)} on average (n = ${difference.n}, sd ${shownFigure(difference.sd)}${range})`;
}

function shownTest({ p, holm }: MeasureComparison): string {
  return `p ${relation(p)}, corrected ${relation(holm)}`;
}

function relation(p: number | null): string {
  const shown = shownP(p);
  return shown.startsWith("<") ? shown : `= ${shown}`;
}

function shownInterval({ low, high }: Interval): string {
  return `${shownFigure(low)} to ${shownFigure(high)}`;
}

/** That runs of the treatment score positive, which speaks against null. */
function scoreObstacle(each: Case): string[] {
  const runs = runsOf(each, each.arm);
  const positive = positives(runs);
  return positive === 0 ? [] : [`${positive} of ${count(runs.length, "run")} of ${each.arm} ${positive === 1 ? "scores" : "score"} positive`];
}

/** That pairs lack a deciding measure, which speaks against null. */
function gapObstacle({ seeds }: Case, { measure, difference }: MeasureComparison): string | undefined {
  const lacking = seeds.length - difference.n;
  return lacking === 0 ? undefined : `${lacking} of ${count(seeds.length, "pair")} ${lacking === 1 ? "has" : "have"} no ${measure}`;
}

/** That an interval of a deciding measure leaves its margin, which speaks against null. */
function marginObstacle({ measure, margin, difference }: MeasureComparison): string | undefined {
  const limit = margin ?? 0;
  const intervals = [difference.tInterval, difference.signFlipInterval].filter((interval) => interval !== null);
  const outside = intervals.find(({ low, high }) => low < -limit || high > limit);
  return outside && `${measure} may differ by more than ${shownFigure(limit)} (interval ${shownInterval(outside)})`;
}

function nullReason(each: Case): string {
  const n = runsOf(each, each.arm).filter(({ score }) => score.result === "null").length;
  const bound = upperBoundOfNone(n, 1 - each.rules.alpha);
  const stated = bound === null ? "" : `. 0 of ${n}: below ${shownBound(bound)} with ${shownLevel(each.rules)} confidence`;
  return `no run of ${each.arm} scores positive, and ${each.rules.decides.join(" and ")} ${each.rules.decides.length === 1 ? "does" : "do"} not differ from ${each.control} beyond the margin${stated}`;
}

function inconclusiveReason(each: Case, deciding: readonly MeasureComparison[], obstacles: readonly string[]): string {
  const tests = deciding.map((comparison) => `${comparison.measure} ${shownTest(comparison)}`);
  return `no difference beyond the margins is shown (${tests.join("; ")}), and none is ruled out: ${obstacles.join("; ")}${neededSeeds(each, deciding)}`;
}

/** That so few pairs cannot give a small enough p, whatever they say, and how many could. */
function neededSeeds({ rules, family }: Case, deciding: readonly MeasureComparison[]): string {
  const smallest = (pairs: number) => Math.min(1, family * 2 ** (1 - pairs));
  const pairs = Math.max(...deciding.map(({ difference }) => difference.n));
  if (smallest(pairs) <= rules.alpha) return "";
  const needed = Math.ceil(1 + Math.log2(family / rules.alpha));
  return `. With ${count(pairs, "pair")} the smallest corrected p is ${shownP(smallest(pairs))}: ${needed} are needed`;
}
