import { z } from "zod";
import { count } from "../../text/format.js";
import { upperBoundOfNone } from "../statistics/binomial-tests.js";
import type { Interval } from "../statistics/moments.js";
import { isCensusMeasure } from "./measures.js";
import { areEqual, type MeasureComparison } from "./paired-statistics.js";
import { type ExperimentEvidence, type ExperimentRun, measuredValue } from "./read-experiment-run.js";
import { type Look, minPairsForNull, minPairsForPositive, minSeeds, rulesHash, secondLook, shownLevel, statedRules } from "./rules.js";
import {
  comparedE,
  judgedE,
  judgedPairs,
  neededPairs,
  progressOf,
  type SequentialEvidence,
  type SequentialProgress,
  sequentialEvidence,
} from "./sequential.js";

const digits = 4;
const smallestPlain = 1e-3;
const largestPlain = 1e6;
const smallestShownP = 1e-4;

/** A number for people: four digits, a true minus; a dash for null. */
export function shownFigure(value: number | null): string {
  if (value === null) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < smallestPlain || size >= largestPlain) ? size.toExponential(digits - 2) : String(Number(size.toPrecision(digits)));
  return value < 0 ? `−${text}` : text;
}

/** A p value with two digits; `< 0.0001` below that. */
export function shownP(p: number | null): string {
  if (p === null) return "–";
  return p < smallestShownP ? "< 0.0001" : String(Number(p.toPrecision(2)));
}

/** A bound on a share in percent, two digits, rounded in the given direction so that it stays a bound. */
export function shownBound(share: number, direction: "up" | "down" = "up"): string {
  const percent = 100 * share;
  const unit = 10 ** (Math.floor(Math.log10(percent)) - 1);
  const units = direction === "up" ? Math.ceil(percent / unit) : Math.floor(percent / unit);
  return `${Number((units * unit).toPrecision(2))} %`;
}

const result = z.enum(["positive", "null", "inconclusive", "degenerate"]);
const notes = z.array(z.string()).readonly().optional().describe("Limits of the verdict, one sentence each");
const armVerdictSchema = z.strictObject({
  arm: z.string(),
  result,
  reason: z.string(),
  notes,
  answer: z.string().optional().describe("The answer in one line"),
  evidence: z.string().optional().describe("The deciding measures in one line"),
  missing: z.string().nullable().optional().describe("What a positive or a null verdict still needs; null if nothing"),
});
type ArmVerdict = z.output<typeof armVerdictSchema>;

export const experimentVerdictSchema = z.strictObject({
  result,
  reason: z.string(),
  notes,
  rules: z.array(z.string()).readonly().describe("The applied rules, one sentence each"),
  rulesHash: z.string().describe("SHA-256 of the rules, which were fixed in advance"),
  arms: z.array(armVerdictSchema).readonly().describe("Every treatment against the control"),
});
/** The verdict of an experiment, with its evidence. */
export type ExperimentVerdict = z.output<typeof experimentVerdictSchema>;

export interface VerdictContext {
  /** Paths of the settings in which each treatment differs from the control, by arm. */
  readonly settings?: Readonly<Record<string, readonly string[]>>;
  /** Earlier verdicts of the same experiment over other seeds. */
  readonly looks?: readonly Look[];
}

/** Maximum seeds named in a sentence. */
const maxSeedsShown = 10;
/** Maximum settings named in a sentence. */
const maxSettingsShown = 6;

/**
 * Judge every treatment against the control, and the experiment by the results. With several treatments it is positive if one is, null or degenerate if all
 * are, else inconclusive.
 */
export function experimentVerdict(
  evidence: ExperimentEvidence,
  comparisons: readonly MeasureComparison[],
  { settings = {}, looks = [] }: VerdictContext = {},
): ExperimentVerdict {
  const { rules, treatments } = evidence;
  const family = rules.decides.length * treatments.length;
  const sequence = rules.sequential ? sequentialEvidence(evidence) : undefined;
  const arms = treatments.map((arm) => {
    const deciding = comparisons.filter((comparison) => comparison.arm === arm && comparison.decides);
    const limits = [...severalSettings(arm, settings[arm] ?? []), ...deciding.flatMap(skewNote)];
    const one = sequence ? sequentialCase({ ...evidence, arm, family }, sequence) : { ...evidence, arm, family };
    return { arm, ...judge(one, deciding), evidence: evidenceLine(one, deciding), ...(limits.length > 0 && { notes: limits }) };
  });
  const [only] = arms;
  const isOne = arms.length === 1 && only !== undefined;
  const ofArms = arms.flatMap(({ arm, notes: limits = [] }) => limits.map((limit) => (isOne ? limit : `${arm}: ${limit}`)));
  const limits = [...secondLook(looks, rules, family), ...ofArms];
  return {
    result: isOne ? only.result : overall(arms.map((arm) => arm.result)),
    reason: isOne ? only.reason : arms.map(({ arm, result: each, reason }) => `${arm} ${each}: ${reason}`).join(". "),
    ...(limits.length > 0 && { notes: limits }),
    rules: statedRules(rules, treatments.length),
    rulesHash: rulesHash(rules),
    arms,
  };
}

function severalSettings(arm: string, paths: readonly string[]): string[] {
  if (paths.length < 2) return [];
  const listed = paths.length > maxSettingsShown ? `${paths.slice(0, maxSettingsShown).join(", ")}, …` : paths.join(", ");
  return [`${arm} changes ${count(paths.length, "setting")} (${listed}): the verdict cannot be attributed to one of them`];
}

/** The limit that skewed differences set to a verdict; none if they are not skewed. */
export function skewNote({ measure, difference, medianP }: MeasureComparison): string[] {
  if (medianP === undefined) return [];
  return [`The differences in ${measure} are skewed (G = ${shownFigure(difference.skewness ?? null)}); the median test gives p ${relation(medianP)}`];
}

/** Positive if one arm is, null or degenerate if all are. */
export function overall(results: readonly ArmVerdict["result"][]): ArmVerdict["result"] {
  if (results.includes("positive")) return "positive";
  const [first] = results;
  return first !== undefined && results.every((each) => each === first) ? first : "inconclusive";
}

/** One treatment and its evidence. */
interface Case extends ExperimentEvidence {
  readonly arm: string;
  /** Number of tests in Holm's correction. */
  readonly family: number;
  /** Under sequential rules; seeds and runs are then those of the judged pairs. */
  readonly progress?: SequentialProgress;
}

function sequentialCase(each: Case, sequence: SequentialEvidence): Case {
  const progress = progressOf(sequence, each.arm);
  const seeds = each.seeds.slice(0, progress?.pairs ?? 0);
  return { ...each, seeds, runs: each.runs.filter(({ seed }) => seeds.includes(seed)), ...(progress && { progress }) };
}

function judge(each: Case, deciding: readonly MeasureComparison[]): Omit<ArmVerdict, "arm"> {
  const { arm, control } = each;
  const open = { result: "inconclusive", answer: `neither a difference from ${control} nor its absence is shown` } as const;
  const isBeginning = each.progress !== undefined && each.progress.pairs < minSeeds;
  const unscored = isBeginning ? [] : unscorableArms(each);
  if (unscored.length > 0) return { result: "degenerate", answer: "the runs cannot be judged", reason: unscored.join("; "), missing: unscored.join("; ") };
  const missing = each.progress ? [] : missingRuns(each);
  if (missing.length > 0) return { ...open, reason: `${missing.join("; ")}: the rules apply to the complete plan`, missing: missing.join("; ") };
  const pairs = each.progress?.pairs ?? Math.min(...deciding.map(({ difference }) => difference.n));
  if (pairs < minSeeds) return { ...open, reason: readingByRun(each, pairs), missing: missingSeeds(each, pairs) };
  const different = deciding.filter(({ outcome }) => outcome === "differs");
  if (different.length > 0) {
    const answer = `${arm} differs from ${control} in ${different.map(({ measure }) => measure).join(" and ")}`;
    return { result: "positive", answer, reason: different.map((one) => differentReason(each, one)).join("; "), missing: null };
  }
  const obstacles = [...scoreObstacles(each), ...deciding.flatMap((one) => measureObstacle(each, one) ?? [])];
  if (obstacles.length === 0) return { result: "null", answer: `${arm} does not differ from ${control}`, reason: nullReason(each, deciding), missing: null };
  return { ...open, reason: inconclusiveReason(each, deciding, obstacles), missing: missingSeeds(each, pairs) ?? obstacles.join("; ") };
}

/** `8 seeds to show a difference, 9 to rule one out; has 3`; null if there are enough for both. */
function missingSeeds({ rules, family, progress }: Case, pairs: number): string | null {
  if (progress) return neededPairs(progress);
  const [positive, none] = [minPairsForPositive(rules, family), minPairsForNull(rules)];
  const needed = [
    ...(pairs < positive ? [`${count(positive, "seed")} to show a difference`] : []),
    ...(pairs < none ? [`${pairs < positive ? none : count(none, "seed")} to rule one out`] : []),
  ];
  return needed.length === 0 ? null : `${needed.join(", ")}; has ${pairs}`;
}

/** `score positive in 9 of 10 runs, layernorm in 0 of 10 (corrected p 0.0078); deadC +1.3 (0.75 to 1.75, margin 0.5, corrected p 0.014)` */
function evidenceLine(each: Case, deciding: readonly MeasureComparison[]): string {
  const told = deciding.map(({ measure, margin, difference, holm: corrected }) => {
    const p = each.progress ? judgedE(each.progress, measure, each.rules) : `corrected p ${shownP(corrected)}`;
    if (measure === "score") return `${scoresOf(each).replace(`${each.arm} scores`, "score")} (${p})`;
    const centre = difference.centre ?? difference.mean;
    if (centre === null) return `${measure} in no pair`;
    const interval = difference.interval && !each.progress ? `${shownInterval(difference.interval)}, ` : "";
    return `${measure} ${signed(centre)} (${interval}margin ${shownFigure(margin)}, ${p})`;
  });
  return told.join("; ");
}

/** A difference with its sign. */
export function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${shownFigure(value)}`;
}

/** One arm in three lines; an experiment that an earlier version has judged lacks the last. */
export interface ArmLines {
  readonly arm: string;
  readonly answer: string;
  readonly evidence: string;
  readonly missing: string | undefined;
}

/** Answer, evidence, and what is missing for each arm. */
export function armLines({ arms }: ExperimentVerdict): ArmLines[] {
  return arms.map(({ arm, result: each, reason, answer, evidence = reason, missing }) => ({
    arm,
    answer: answer === undefined ? each : `${each}: ${answer}`,
    evidence,
    missing: missing === null ? "nothing" : missing,
  }));
}

const runsOf = ({ runs }: ExperimentEvidence, arm: string): ExperimentRun[] => runs.filter((run) => run.arm === arm);
const positives = (runs: readonly ExperimentRun[]): number => runs.filter(({ score }) => score.result === "positive").length;

/** Arms that cannot be judged because no run has a deciding measure. */
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
    const listed = missing.length > maxSeedsShown ? `${missing.slice(0, maxSeedsShown).join(", ")}, …` : missing.join(", ");
    return [`${arm} lacks ${count(missing.length, "run")} (${missing.length === 1 ? "seed" : "seeds"} ${listed})`];
  });
}

/** The notebook's verdict on each run, when there are too few pairs to compare arms. */
function readingByRun(each: Case, pairs: number): string {
  const readings = each.seeds.map((seed) => {
    const listed = [each.control, each.arm].flatMap((arm) => runsOf(each, arm).filter((run) => run.seed === seed));
    return `seed ${seed}, ${listed.map(({ arm, score }) => `${arm} ${score.result} (${score.reason})`).join(", ")}`;
  });
  const lead =
    pairs === 1 ? "One seed has no spread: an observation, no comparison" : `${count(pairs, "pair")} of seeds cannot give a verdict, ${minSeeds} are needed`;
  return readings.length === 0 ? lead : `${lead}. The notebook's own reading of each run: ${readings.join("; ")}`;
}

/** `rmsnorm exceeds layernorm in deadC by 2.1 (95 % interval 1.3 to 3, 10 pairs), beyond the margin of 0.5; corrected p = 0.004`. */
function differentReason(each: Case, { measure, margin, difference, holm: corrected }: MeasureComparison): string {
  const { progress, rules } = each;
  const p = progress ? ` ${judgedPairs(progress)}: ${comparedE(progress, measure, rules)}` : `; corrected p ${relation(corrected)}`;
  if (measure === "score") return `${scoresOf(each)}${p}`;
  const centre = difference.centre ?? 0;
  const size = shownFigure(Math.abs(centre));
  const isMedian = rules.test === "median";
  const interval = difference.interval ? `${shownLevel(rules)} interval ${shownInterval(difference.interval)}, ` : "";
  const basis = progress ? "" : ` (${interval}${count(difference.n, "pair")})`;
  const direction = centre > 0 ? "exceeds" : "is below";
  const beyond = (margin ?? 0) === 0 ? "" : `, beyond the margin of ${shownFigure(margin)}`;
  return `${each.arm} ${direction} ${each.control} in ${measure} by ${size}${isMedian ? " in the median" : ""}${basis}${beyond}${p}`;
}

/** `rmsnorm scores positive in 9 of 10 runs, layernorm in 0 of 10`. */
function scoresOf(each: Case): string {
  const [after, before] = [each.arm, each.control].map((arm) => runsOf(each, arm));
  return `${each.arm} scores positive in ${positives(after ?? [])} of ${count(after?.length ?? 0, "run")}, ${each.control} in ${positives(before ?? [])} of ${before?.length}`;
}

/** p with its relation: `= 0.004`, `< 1e-4`. */
export function relation(p: number | null): string {
  const shown = shownP(p);
  return shown.startsWith("<") ? shown : `= ${shown}`;
}

/** `1.3 to 3`. */
export function shownInterval({ low, high }: Interval): string {
  return `${shownFigure(low)} to ${shownFigure(high)}`;
}

/** Reasons against null from the scores: positive scores if score decides; disagreeing or missing scores if a census decides. */
function scoreObstacles(each: Case): string[] {
  const { rules, control, arm } = each;
  const isPositive = [arm, control].some((one) => positives(runsOf(each, one)) > 0);
  if (rules.decides.includes("score")) return isPositive ? [scoresOf(each)] : [];
  if (!rules.decides.some(isCensusMeasure)) return [];
  const unscored = [control, arm].filter((one) => runsOf(each, one).every(({ score }) => score.result === "degenerate"));
  if (unscored.length > 0) {
    const reasons = unscored.map((one) => `no run of ${one} can be scored (${runsOf(each, one)[0]?.score.reason.replace(/^not scored: /, "")})`);
    return [`${reasons.join(" and ")}, so there was nothing to separate`];
  }
  const resultOf = (one: string) => new Map(runsOf(each, one).map(({ seed, score }) => [seed, score.result]));
  const [before, after] = [resultOf(control), resultOf(arm)];
  const disagreeing = each.seeds.filter((seed) => before.get(seed) !== after.get(seed)).length;
  return disagreeing === 0
    ? []
    : [`${scoresOf(each)}: the scores disagree in ${disagreeing} of ${count(each.seeds.length, "pair")}, although score does not decide`];
}

/** Why a deciding measure is not shown to be equal; undefined if it is. */
function measureObstacle(each: Case, comparison: MeasureComparison): string | undefined {
  const { measure, margin, difference, outcome } = comparison;
  if (outcome === "equal") return undefined;
  const { n, interval = null } = difference;
  const lacking = each.seeds.length - n;
  if (lacking > 0) return `${lacking} of ${count(each.seeds.length, "pair")} ${lacking === 1 ? "has" : "have"} no ${measure}`;
  const least = minPairsForNull(each.rules);
  const isOfPositives = measure === "score" && [each.control, each.arm].some((arm) => positives(runsOf(each, arm)) > 0);
  if (isOfPositives) return undefined; // scoreObstacles reports it
  if (areEqual(comparison) && n < least) return tooFewEqual(each, measure, n);
  if (margin === 0) {
    const range = interval === null || each.progress ? "" : `, by ${shownInterval(interval)}`;
    return `${measure} may differ${range}, and its margin is 0`;
  }
  if (each.progress)
    return `${measure} is not shown to lie within its margin of ${shownFigure(margin)} (${comparedE(each.progress, measure, each.rules, "eNull")})`;
  if (interval === null) return `${count(n, "pair")} give no ${shownLevel(each.rules)} interval for ${measure}`;
  const isInside = interval.low > -(margin ?? 0) && interval.high < (margin ?? 0);
  if (isInside && n < least) return `${measure} needs ${least} pairs for null and has ${n}`;
  return `${measure} may differ by ${shownInterval(interval)}, margin ${shownFigure(margin)}`;
}

/** All pairs are equal, but too few. */
function tooFewEqual({ rules }: Case, measure: string, n: number): string {
  if (measure !== "score" && rules.decides.includes("score")) return `${measure} is equal in ${n} of ${count(n, "pair")}`;
  const [equal, more] = measure === "score" ? ["without a split", "without one"] : [`with equal ${measure}`, "like them"];
  const rate = shownBound(upperBoundOfNone(n, 1 - rules.alpha) ?? 1, "down");
  return `${count(n, "pair")} ${equal} cannot rule out a true rate of ${rate}; ${minPairsForNull(rules) - n} more ${more} would give null`;
}

function nullReason(each: Case, deciding: readonly MeasureComparison[]): string {
  const after = each.progress ? `${judgedPairs(each.progress)}, ` : "";
  const bound = (n: number) => `so a true rate above ${shownBound(upperBoundOfNone(n, 1 - each.rules.alpha) ?? 1)} is ruled out (${shownLevel(each.rules)})`;
  const equal = deciding
    .map(({ measure, margin, difference: { n } }) => {
      if (measure === "score") return `no run splits in ${count(n, "pair")}, ${bound(n)}`;
      if (margin === 0) return `${measure} is equal in ${n} of ${count(n, "pair")}, ${bound(n)}`;
      return `${measure} differs by less than ${shownFigure(margin)}`;
    })
    .join("; ");
  return `${after}${equal}`;
}

function inconclusiveReason(each: Case, deciding: readonly MeasureComparison[], obstacles: readonly string[]): string {
  const { progress, rules } = each;
  if (progress) {
    const evidence = deciding.map(({ measure }) => `${measure} ${comparedE(progress, measure, rules)}`);
    return `${judgedPairs(progress)}, ${obstacles.join("; ")}. Corrected e: ${evidence.join("; ")}`;
  }
  const shown = deciding.map(({ measure, holm: corrected }) => `${measure} ${shownP(corrected)}`).join(", ");
  return `${[...obstacles, ...neededSeeds(each, deciding)].join("; ")}. Corrected p: ${shown}`;
}

/** The number of pairs needed for a positive verdict, if there are fewer. */
function neededSeeds({ rules, family }: Case, deciding: readonly MeasureComparison[]): string[] {
  const pairs = Math.max(...deciding.map(({ difference }) => difference.n));
  const needed = minPairsForPositive(rules, family);
  if (pairs >= needed) return [];
  return [`${count(pairs, "pair")} cannot reach p ≤ ${rules.alpha} with ${count(family, "test")}; ${needed} can`];
}
