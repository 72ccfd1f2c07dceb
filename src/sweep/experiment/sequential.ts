import { z } from "zod";
import { count } from "../../text/format.js";
import { median, upperBoundOfNone } from "../statistics/binomial-tests.js";
import { eHolm, PairedBets } from "../statistics/e-values.js";
import { moments } from "../statistics/moments.js";
import { hallTest } from "../statistics/paired-test.js";
import { isCensusMeasure } from "./measures.js";
import { type ExperimentEvidence, type MeasuredRun, measuredValue } from "./read-experiment-run.js";
import { eThreshold, guardLevel, minPairsForNull, minSeeds, type Rules, shownThreshold } from "./rules.js";

const roundingNoise = 1e-9;
const smallestPlain = 1e-3;
const largestPlain = 1e6;

const whole = z.int().nonnegative();
const eValues = z.array(z.number()).readonly();

/** The evidence of an experiment with sequential rules, as it grew. */
export const sequentialEvidenceSchema = z.strictObject({
  maximum: whole.describe("Number of planned pairs"),
  threshold: z.number().describe("1 / alpha: a corrected e value of at least this shows a difference"),
  arms: z
    .array(
      z.strictObject({
        arm: z.string().describe("The treatment"),
        pairs: whole.describe("Number of judged pairs: complete ones in the order of the seeds, up to the first gap or the decision"),
        state: z
          .enum(["decided", "undecided", "hopeless", "at the maximum"])
          .describe("`undecided`: another pair is needed. `hopeless`: the planned pairs that are left cannot decide"),
        result: z.enum(["positive", "null", "degenerate"]).nullable().describe("Of a decided arm"),
        decidedAt: whole.nullable().describe("Number of pairs at the decision"),
        measures: z
          .array(
            z.strictObject({
              measure: z.string(),
              e: eValues.describe("After each pair: e value that the difference exceeds the margin"),
              corrected: eValues.describe("The same after e-Holm over deciding measures × arms"),
              eNull: eValues.describe("After each pair: e value that the difference is below the margin; 0 if null is impossible"),
              outcome: z.enum(["differs", "equal", "open"]),
            }),
          )
          .readonly(),
      }),
    )
    .readonly(),
});
export type SequentialEvidence = z.output<typeof sequentialEvidenceSchema>;
export type SequentialArm = SequentialEvidence["arms"][number];
type Outcome = SequentialArm["measures"][number]["outcome"];

interface MeasureContext {
  readonly rules: Rules;
  /** Measures that are 0 or 1. */
  readonly binary: readonly string[];
  /** Deciding measures × arms. */
  readonly tests: number;
}

/** One deciding measure of one treatment, pair by pair. */
export class MeasureEvidence {
  readonly #rules: Rules;
  readonly #tests: number;
  readonly #margin: number;
  /** Of zeros and ones: no margin, no guard. */
  readonly #isBinary: boolean;
  readonly #bets: PairedBets;
  readonly #differences: number[] = [];
  #lacking = 0;
  #areEqual = true;
  #areWhole = true;
  /** Whether some run of each arm has the measure. */
  readonly #isKnown = { control: false, treatment: false };

  constructor(measure: string, { rules, binary, tests }: MeasureContext) {
    this.#rules = rules;
    this.#tests = tests;
    this.#margin = rules.margin[measure] ?? 0;
    this.#isBinary = binary.includes(measure);
    this.#bets = new PairedBets({ margin: this.#margin, test: this.#isBinary ? "mean" : rules.test });
  }

  add(control: number | null, treatment: number | null): void {
    const difference = control === null || treatment === null ? Number.NaN : treatment - control;
    this.#isKnown.control ||= control !== null;
    this.#isKnown.treatment ||= treatment !== null;
    if (Number.isFinite(difference)) {
      this.#differences.push(difference);
      this.#areEqual &&= difference === 0;
      this.#areWhole &&= Number.isInteger(control) && Number.isInteger(treatment);
      this.#bets.add(difference);
    } else {
      this.#lacking++;
      this.#bets.add(null);
    }
  }

  /** That the difference exceeds the margin. */
  e(): number {
    return this.#bets.positive();
  }

  /** That the difference is below the margin. Equal pairs bet against a difference at the rate `nullBelow`. */
  eNull(): number {
    if (!this.isNullPossible()) return 0;
    return this.#isOfEqualPairs() ? (1 - this.#rules.nullBelow) ** -this.#differences.length : this.#bets.null();
  }

  /** Whether more pairs can still show that the arms are equal in this measure. */
  isNullPossible(): boolean {
    return this.#lacking === 0 && (this.#areEqual || !this.#isOfEqualPairs());
  }

  /** Whether no run of an arm has the measure. */
  isUnknown(): boolean {
    return !(this.#isKnown.control && this.#isKnown.treatment);
  }

  /** @param corrected `e` after e-Holm. */
  outcome(corrected: number): Outcome {
    if (this.#differences.length < minSeeds) return "open";
    if (corrected >= eThreshold(this.#rules) && this.#isBeyond() && this.#agrees("p")) return "differs";
    if (!this.isNullPossible() || this.#differences.length < minPairsForNull(this.#rules)) return "open";
    if (this.#isOfEqualPairs()) return "equal";
    return this.eNull() >= eThreshold(this.#rules) && this.#isWithin() && this.#agrees("pNull") ? "equal" : "open";
  }

  /** Whether null needs equal values in every pair. */
  #isOfEqualPairs(): boolean {
    return this.#isBinary || this.#margin === 0;
  }

  #isBeyond(): boolean {
    return Math.abs(this.#centre()) - this.#floor() > this.#margin;
  }

  #isWithin(): boolean {
    return Math.abs(this.#centre()) + this.#floor() < this.#margin;
  }

  #centre(): number {
    const isMedian = this.#rules.test === "median" && !this.#isBinary;
    return (isMedian ? median(this.#differences) : moments(this.#differences).mean) ?? 0;
  }

  /** A change of 1 at a rate that the pairs can miss. */
  #floor(): number {
    return this.#areWhole && !this.#isBinary ? (upperBoundOfNone(this.#differences.length, 1 - this.#rules.alpha) ?? 0) : 0;
  }

  /** The guard against skew: Hall's test alone, at a small fraction of alpha. Null needs every measure, so that it takes no correction. */
  #agrees(which: "p" | "pNull"): boolean {
    if (this.#isBinary || this.#rules.test === "median") return true;
    return hallTest(this.#differences, { margin: this.#margin, lacking: this.#lacking })[which] <= guardLevel(this.#rules, which === "p" ? this.#tests : 1);
  }
}

/** One treatment while pairs are added. */
class ArmEvidence {
  pairs = 0;
  state: SequentialArm["state"] = "undecided";
  result: SequentialArm["result"] = null;
  readonly measures: readonly { measure: string; evidence: MeasureEvidence; e: number[]; corrected: number[]; eNull: number[]; outcome: Outcome }[];
  readonly #rules: Rules;
  /** Whether the scores so far allow null with more pairs. */
  #scoresAllowNull = true;
  readonly #areUnscored = { control: true, treatment: true };

  constructor(
    readonly arm: string,
    context: MeasureContext,
  ) {
    const { rules } = context;
    this.#rules = rules;
    this.measures = rules.decides.map((measure) => ({
      measure,
      evidence: new MeasureEvidence(measure, context),
      e: [],
      corrected: [],
      eNull: [],
      outcome: "open",
    }));
  }

  add(control: MeasuredRun, treatment: MeasuredRun): void {
    this.pairs++;
    for (const { measure, evidence, e, eNull } of this.measures) {
      evidence.add(measuredValue(control, measure), measuredValue(treatment, measure));
      e.push(evidence.e());
      eNull.push(evidence.eNull());
    }
    const { decides } = this.#rules;
    const [before, after] = [control.score?.result, treatment.score?.result];
    this.#areUnscored.control &&= before === "degenerate";
    this.#areUnscored.treatment &&= after === "degenerate";
    if (decides.includes("score")) this.#scoresAllowNull &&= before !== "positive" && after !== "positive";
    else if (decides.some(isCensusMeasure)) this.#scoresAllowNull &&= before === after;
  }

  /** @param corrected e values of this arm's measures after e-Holm. @param maximum number of planned pairs. */
  judge(corrected: readonly number[], maximum: number): void {
    for (const [at, one] of this.measures.entries()) {
      one.corrected.push(corrected[at] ?? 0);
      one.outcome = one.evidence.outcome(corrected[at] ?? 0);
    }
    const outcomes = this.measures.map(({ outcome }) => outcome);
    if (this.pairs >= minSeeds && this.measures.some(({ evidence }) => evidence.isUnknown())) this.#decide("degenerate");
    else if (outcomes.includes("differs")) this.#decide("positive");
    else if (this.#scoresAllowNull && this.#hadSomethingToSeparate() && outcomes.every((outcome) => outcome === "equal")) this.#decide("null");
    else if (this.pairs >= maximum) this.state = "at the maximum";
    else if (this.#isHopeless(maximum)) this.state = "hopeless";
  }

  /** Whether a count of black holes, tokens or rows can show that the arms are equal: not if no run of an arm can be scored. */
  #hadSomethingToSeparate(): boolean {
    return !this.#rules.decides.some(isCensusMeasure) || !(this.#areUnscored.control || this.#areUnscored.treatment);
  }

  #decide(result: Exclude<SequentialArm["result"], null>): void {
    this.state = "decided";
    this.result = result;
  }

  /** Null is impossible, and no e value can reach the threshold: a pair at most doubles it. */
  #isHopeless(maximum: number): boolean {
    const isNullPossible = this.#scoresAllowNull && maximum >= minPairsForNull(this.#rules) && this.measures.every(({ evidence }) => evidence.isNullPossible());
    return !isNullPossible && this.measures.every(({ evidence }) => evidence.e() * 2 ** (maximum - this.pairs) < eThreshold(this.#rules));
  }
}

export interface SequentialOptions {
  /** Whether a missing run is still expected, so that the judgement of its pair waits for it. By default, none is: the arm keeps its e values, others go on. */
  readonly isPending?: (arm: string, seed: number) => boolean;
}

/**
 * Judge the pairs of an experiment one after another, in the order of the seeds. All arms that are not decided get a pair together; e-Holm corrects over the
 * deciding measures of all arms, of which those that have stopped keep their e values.
 */
export function sequentialEvidence(
  { rules, seeds, control, treatments, runs, binary = ["score"] }: ExperimentEvidence<MeasuredRun>,
  { isPending }: SequentialOptions = {},
): SequentialEvidence {
  const byArm = new Map([control, ...treatments].map((arm) => [arm, new Map<number, MeasuredRun>()]));
  for (const run of runs) byArm.get(run.arm)?.set(run.seed, run);
  const runOf = (arm: string, seed: number) => byArm.get(arm)?.get(seed);
  const arms = treatments.map((arm) => new ArmEvidence(arm, { rules, binary, tests: rules.decides.length * treatments.length }));
  for (const [at, seed] of seeds.entries()) {
    const open = arms.filter(({ pairs, state }) => pairs === at && state === "undecided");
    const before = runOf(control, seed);
    const missing = [control, ...open.map(({ arm }) => arm)].filter((arm) => runOf(arm, seed) === undefined);
    const ready = open.filter(({ arm }) => !missing.includes(arm));
    if (before === undefined || ready.length === 0 || missing.some((arm) => isPending?.(arm, seed))) break;
    for (const one of ready) one.add(before, runOf(one.arm, seed) ?? before);
    const corrected = eHolm(arms.flatMap(({ measures }) => measures.map(({ evidence }) => evidence.e())));
    for (const one of ready) {
      const first = arms.indexOf(one) * rules.decides.length;
      one.judge(corrected.slice(first, first + rules.decides.length), seeds.length);
    }
  }
  return {
    maximum: seeds.length,
    threshold: eThreshold(rules),
    arms: arms.map(({ arm, pairs, state, result, measures }) => ({
      arm,
      pairs,
      state,
      result,
      decidedAt: state === "decided" ? pairs : null,
      measures: measures.map(({ evidence: _, ...measure }) => measure),
    })),
  };
}

/** The judged pairs of one arm. */
export interface SequentialProgress extends SequentialArm {
  readonly maximum: number;
}

export function progressOf({ arms, maximum }: SequentialEvidence, name: string): SequentialProgress | undefined {
  const arm = arms.find((one) => one.arm === name);
  return arm && { ...arm, maximum };
}

/** `after 8 of 40 pairs`. */
export function judgedPairs({ pairs, maximum }: Pick<SequentialProgress, "pairs" | "maximum">): string {
  return `after ${pairs} of ${count(maximum, "pair")}`;
}

/** What an arm without a decision still needs. */
export function neededPairs({ pairs, maximum, state }: SequentialProgress): string {
  const left = maximum - pairs;
  if (state === "hopeless") return `the ${count(left, "pair")} that ${left === 1 ? "is" : "are"} left cannot decide: raise the number of seeds to continue`;
  return left === 0 ? `more seeds: all ${count(maximum, "pair")} are judged` : `up to ${count(left, "more pair")}`;
}

/** An e value with two digits, rounded down so that it never seems to reach a threshold. */
export function shownE(e: number): string {
  if (e <= 0) return "0";
  const unit = 10 ** (Math.floor(Math.log10(e)) - 1);
  const rounded = Math.floor(e / unit + roundingNoise) * unit;
  return rounded >= largestPlain || rounded < smallestPlain ? rounded.toExponential(1) : String(Number(rounded.toPrecision(2)));
}

/** The last e value of a measure that it differs (corrected), or is equal: `e = 31, 20 needed`. */
export function comparedE({ measures }: SequentialProgress, measure: string, rules: Pick<Rules, "alpha">, kind: "corrected" | "eNull" = "corrected"): string {
  const e = measures.find((one) => one.measure === measure)?.[kind].at(-1) ?? 1;
  return `e = ${shownE(e)}, ${shownThreshold(rules)} needed`;
}

/** The evidence for what was found of a measure: that it does not differ if that was shown, else that it does. */
export function judgedE(progress: SequentialProgress, measure: string, rules: Pick<Rules, "alpha">): string {
  const isEqual = progress.measures.some((each) => each.measure === measure && each.outcome === "equal");
  return isEqual ? `for null ${comparedE(progress, measure, rules, "eNull")}` : comparedE(progress, measure, rules);
}
