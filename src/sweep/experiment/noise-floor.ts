import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import jstat from "jstat";
import { mersenne } from "pure-rand/generator/mersenne";
import { z } from "zod";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import { markdownTable, markdownText } from "../../text/escaping.js";
import { count } from "../../text/format.js";
import type { Conclude } from "../conduct-plan.js";
import type { Executor } from "../executors/executor.js";
import { flattenOverrides } from "../grammar/expand-sweep.js";
import { pointFrom } from "../grammar/load-sweep.js";
import { type Plan, planPoints } from "../plan/plan.js";
import { signTail, upperBoundOfNone } from "../statistics/binomial-tests.js";
import { eHolm } from "../statistics/e-values.js";
import { type Interval, moments } from "../statistics/moments.js";
import { hallTest } from "../statistics/paired-test.js";
import { maxExactValues, signFlipTail } from "../statistics/sign-flip-test.js";
import { withRelativePaths } from "../sweep-summary.js";
import { shownFigure } from "./experiment-verdict.js";
import type { LoadedExperiment } from "./load-experiment.js";
import { defaultMeasures } from "./measures.js";
import { type ExperimentRun, measuredValue, readExperimentRun } from "./read-experiment-run.js";
import { minPairsForPositive, type Rules } from "./rules.js";
import { MeasureEvidence } from "./sequential.js";

const whole = z.int().nonnegative();
const figure = z.number().nullable();

const designSchema = z.strictObject({
  design: z.enum(["fixed", "sequential"]),
  power: z.number().describe("Share of experiments that show the effect"),
  pairs: whole.nullable().describe("Fixed: pairs to train. Sequential: maximum of pairs. Null: more than were simulated"),
  meanPairs: figure.describe("Sequential: pairs that are trained on average"),
});

/** `bh-bridge/noise-floor@1`: the spread of the control over seeds, and the pairs that an effect needs. */
export const noiseFloorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/noise-floor@1"),
  name: z.string(),
  directory: z.string(),
  control: z.string().nullable().describe("Name of the arm; null for a configuration without arms"),
  seeds: z.array(whole).readonly().describe("The planned seeds"),
  runs: z.array(z.strictObject({ seed: whole, run: z.string() })).readonly(),
  measures: z
    .array(
      z.strictObject({
        measure: z.string(),
        values: z.array(figure).readonly().describe("By run"),
        n: whole,
        mean: figure,
        sd: figure.describe("Sample standard deviation, n − 1"),
        sdInterval: z.strictObject({ low: z.number(), high: z.number() }).nullable().describe("95 % interval of the standard deviation, for normal values"),
      }),
    )
    .readonly(),
  effects: z
    .array(
      z.strictObject({
        measure: z.string(),
        size: z.number(),
        margin: z.number(),
        alpha: z.number(),
        tests: whole.describe("Deciding measures × arms that the correction covers"),
        bySd: z
          .array(z.strictObject({ basis: z.enum(["estimate", "upper end of its interval"]), sd: z.number(), designs: z.array(designSchema).readonly() }))
          .readonly()
          .describe("The pairs for the estimated standard deviation, and for the upper end of its interval"),
      }),
    )
    .readonly(),
  simulated: z.strictObject({ experiments: whole, most: whole, assumption: z.string() }),
});
export type NoiseFloorDocument = z.output<typeof noiseFloorDocumentSchema>;
type Floor = NoiseFloorDocument["measures"][number];
type Design = z.output<typeof designSchema>;

/** An effect to plan for. */
export interface PlannedEffect {
  readonly measure: string;
  readonly size: number;
}

/** A noise floor to measure: the control of an experiment, or one configuration. */
export interface NoiseFloorQuestion {
  readonly loaded: Pick<LoadedExperiment, "name" | "rules" | "measures" | "directory" | "sourceOf">;
  /** Name and settings of the control. */
  readonly control: { readonly arm: string | null; readonly set: LoadedExperiment["arms"][string] };
  readonly treatments: number;
  readonly seeds: readonly number[];
  readonly effects: readonly PlannedEffect[];
}

const level = 0.95;
const powers = [0.8, 0.95] as const;
const experiments = 1000;
/** Pairs of the longest simulated experiment. */
const most = 200;
const assumption =
  "the values of both arms are normal with the spread of the control, and the runs of a pair do not correlate: differences have √2 times that spread";

/** Plan the control over seeds. More seeds belong to the same directory. @throws {BhBridgeError} as `planPoints`. */
export async function planNoiseFloor(
  { loaded, control, seeds }: NoiseFloorQuestion,
  base: ResolvedConfig,
  executor: Executor,
  signal?: AbortSignal,
): Promise<Plan> {
  const set = flattenOverrides(control.set);
  const locationOf = (path: string) => (path === "seed" ? "seeds" : `arms.${control.arm}.${path}`);
  const points = seeds.map((seed) => pointFrom({ set: { ...set, seed }, locationOf }, loaded.directory));
  const rules = { noiseFloor: set };
  const { plan } = await planPoints({ name: `${loaded.name} noise floor`, base, points, rules, sourceOf: loaded.sourceOf }, executor, signal);
  return { ...plan, prune: null, question: null };
}

/** Measure the runs of a noise floor, and simulate the named effects. */
export function concludeNoiseFloor(question: NoiseFloorQuestion): Conclude<NoiseFloorDocument> {
  const { loaded, control, seeds, effects } = question;
  return async ({ directory, trials, signal }) => {
    const names = [...new Set([...loaded.rules.decides, ...effects.map(({ measure }) => measure), ...loaded.measures, ...defaultMeasures])];
    const runs: ExperimentRun[] = [];
    for (const { run, result } of trials) {
      if (run !== null && result !== null) runs.push(await readExperimentRun(run, control.arm ?? "control", names, signal.aborted ? {} : { signal }));
    }
    const measures = names.map((measure) =>
      floorOf(
        measure,
        runs.map((run) => measuredValue(run, measure)),
      ),
    );
    const document = withEffects(
      {
        schema: "bh-bridge/noise-floor@1",
        name: loaded.name,
        directory,
        control: control.arm,
        seeds,
        runs: runs.map(({ seed, run }) => ({ seed, run })),
        measures,
        effects: [],
        simulated: { experiments, most, assumption },
      },
      question,
    );
    return { document, summary: withRelativePaths(noiseFloorSummary(document), directory) };
  };
}

/** The noise floor that an earlier start has measured, with the effects named now; undefined without one. */
export function earlierNoiseFloor(directory: string | undefined, question: NoiseFloorQuestion): NoiseFloorDocument | undefined {
  const path = directory && join(directory, "result.json");
  if (path === undefined || !existsSync(path)) return undefined;
  const document = noiseFloorDocumentSchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  return document && withEffects(document, question);
}

/** @throws {BhBridgeError} `USAGE` for an effect on a measure that the runs lack. */
function withEffects(document: NoiseFloorDocument, { loaded: { rules }, treatments, effects }: NoiseFloorQuestion): NoiseFloorDocument {
  return {
    ...document,
    effects: effects.map(({ measure, size }) => {
      const floor = document.measures.find((each) => each.measure === measure);
      if (floor === undefined || floor.sd === null) {
        throw new BhBridgeError(
          "USAGE",
          `--effect ${measure}: ${count(floor?.n ?? 0, "run")} ${floor?.n === 1 ? "has" : "have"} this measure, and a spread needs two`,
        );
      }
      const decides = rules.decides.includes(measure);
      const tests = Math.max(1, treatments) * (decides ? rules.decides.length : 1);
      const margin = decides ? (rules.margin[measure] ?? 0) : 0;
      const isWhole = floor.values.every((value) => value === null || Number.isInteger(value));
      const effect = { measure, size, margin, tests, rules: { ...rules, margin: { [measure]: margin } }, isWhole };
      const bases = [
        { basis: "estimate" as const, sd: floor.sd },
        ...(floor.sdInterval ? [{ basis: "upper end of its interval" as const, sd: floor.sdInterval.high }] : []),
      ];
      return { measure, size, margin, alpha: rules.alpha, tests, bySd: bases.map((each) => ({ ...each, designs: designsFor({ ...effect, sd: each.sd }) })) };
    }),
  };
}

function floorOf(measure: string, values: readonly (number | null)[]): Floor {
  const { n, mean, sd } = moments(values.filter((value) => value !== null));
  return { measure, values, n, mean, sd, sdInterval: sd === null ? null : spreadInterval(sd, n) };
}

/** Interval of a normal standard deviation: s √((n − 1) / χ²). Null for equal values, which say nothing about rarer ones. */
function spreadInterval(sd: number, n: number): Interval | null {
  if (n < 2 || sd === 0) return null;
  const bound = (probability: number) => sd * Math.sqrt((n - 1) / jstat.chisquare.inv(probability, n - 1));
  return { low: bound((1 + level) / 2), high: bound((1 - level) / 2) };
}

interface SimulatedEffect {
  readonly measure: string;
  readonly size: number;
  readonly sd: number;
  readonly margin: number;
  readonly tests: number;
  readonly rules: Rules;
  /** Whether all values are whole numbers. */
  readonly isWhole: boolean;
}

/** The pairs that each design needs for each power, by simulated experiments with the rules of a verdict. */
export function designsFor(effect: SimulatedEffect): Design[] {
  const pairs = simulatedPairs(effect);
  const stops = pairs.map((own, at) => decidedAfter(effect, own, at));
  return powers.flatMap((power): Design[] => {
    const maximum = [...stops].sort((a, b) => a - b)[Math.ceil(power * experiments) - 1] ?? Number.POSITIVE_INFINITY;
    const isReached = maximum <= most;
    const meanPairs = isReached ? stops.reduce((sum, stop) => sum + Math.min(stop, maximum), 0) / experiments : null;
    return [
      { design: "fixed", power, pairs: fixedPairs(effect, pairs, power), meanPairs: null },
      { design: "sequential", power, pairs: isReached ? maximum : null, meanPairs },
    ];
  });
}

type SimulatedPair = readonly [control: number, treatment: number];

/** Pairs of every experiment; the same for both designs. */
function simulatedPairs({ size, sd, isWhole }: SimulatedEffect): SimulatedPair[][] {
  const normal = normals(1);
  const value = (mean: number) => (isWhole ? Math.round(mean + sd * normal()) : mean + sd * normal());
  return Array.from({ length: experiments }, () => Array.from({ length: most }, () => [value(0), value(size)] as const));
}

/** Standard normal numbers (Box and Muller). */
function normals(seed: number): () => number {
  const generator = mersenne(seed);
  const uniform = () => ((generator.next() >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The pair after which a sequential experiment shows the effect; infinite if none does. The other tests of the correction have no effect. */
function decidedAfter({ measure, tests, rules }: SimulatedEffect, pairs: readonly SimulatedPair[], experiment: number): number {
  const normal = normals(experiments + experiment);
  const context = { rules, binary: [], tests };
  const own = new MeasureEvidence(measure, context);
  const others = Array.from({ length: tests - 1 }, () => new MeasureEvidence("", context));
  for (const [at, [control, treatment]] of pairs.entries()) {
    own.add(control, treatment);
    for (const other of others) other.add(0, normal());
    const [corrected = 0] = eHolm([own.e(), ...others.map((other) => other.e())]);
    if (own.outcome(corrected) === "differs") return at + 1;
  }
  return Number.POSITIVE_INFINITY;
}

/** The smallest number of pairs with the wanted power, if all are trained before the only look; null beyond the longest experiment. */
function fixedPairs(effect: SimulatedEffect, pairs: readonly SimulatedPair[][], power: number): number | null {
  const differences = pairs.map((own) => own.map(([control, treatment]) => treatment - control));
  const reaches = (n: number, isQuick: boolean) => differences.filter((own) => isShown(effect, own.slice(0, n), isQuick)).length >= power * experiments;
  let [low, high] = [minPairsForPositive(effect.rules, effect.tests), most];
  if (!reaches(high, true)) return null;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (reaches(middle, true)) high = middle;
    else low = middle + 1;
  }
  while (low <= most && !reaches(low, false)) low++;
  return low <= most ? low : null;
}

/** Sign flips and Hall's test of normal differences agree within this factor of p beyond the exact pairs. */
const agreement = 2;

/** Whether a fixed design shows the effect. @param isQuick by Hall's test alone, which costs less than sign flips and bounds the power from above. */
function isShown({ margin, tests, rules, isWhole }: SimulatedEffect, differences: readonly number[], isQuick: boolean): boolean {
  const n = differences.length;
  const mean = moments(differences).mean ?? 0;
  const floor = isWhole ? (upperBoundOfNone(n, 1 - rules.alpha) ?? 0) : 0;
  const turned = differences.map((each) => Math.sign(mean) * each - margin);
  if (rules.test === "median") return 2 * tests * signTail(turned) <= rules.alpha;
  const p = tests * hallTest(differences, { margin }).p;
  if (p > rules.alpha || Math.abs(mean) - floor <= margin) return false;
  if (isQuick || (n > maxExactValues && p * agreement <= rules.alpha)) return true;
  return 2 * tests * signFlipTail(turned) <= rules.alpha;
}

/** `summary.md` of a noise floor. */
function noiseFloorSummary(document: NoiseFloorDocument): string {
  const { head, rows } = floorTable(document);
  return [
    `# Noise floor of ${markdownText(document.name)}`,
    `${count(document.runs.length, "run")} of ${markdownText(document.control ?? "the configuration")}, ${count(document.seeds.length, "seed")}: ${document.seeds.join(", ")}.`,
    markdownTable(
      head,
      rows.map((row) => row.map(markdownText)),
    ),
    ...effectTables(document).flatMap(({ title, table }) => [title, markdownTable(table.head, table.rows)]),
    ...(document.effects.length > 0 ? [`${effectsNote(document)}.`] : []),
    "",
  ].join("\n\n");
}

/** A row per measure that some run has. */
export function floorTable({ measures }: NoiseFloorDocument): { head: string[]; rows: string[][] } {
  return {
    head: ["measure", "n", "mean", "standard deviation", "95 % interval"],
    rows: measures
      .filter(({ n }) => n > 0)
      .map(({ measure, n, mean, sd, sdInterval }) => {
        const interval = sdInterval ? `${shownFigure(sdInterval.low)} to ${shownFigure(sdInterval.high)}` : "–";
        return [measure, String(n), shownFigure(mean), shownFigure(sd), interval];
      }),
  };
}

/** The pairs for each effect, a row per design and power. */
export function effectTables({ effects }: NoiseFloorDocument): { title: string; table: { head: string[]; rows: string[][] } }[] {
  return effects.map(({ measure, size, margin, alpha, tests, bySd }) => ({
    title: `Pairs to show an effect of ${shownFigure(size)} in ${measure} (margin ${shownFigure(margin)}, alpha ${alpha}, ${count(tests, "test")})`,
    table: {
      head: ["design, power", ...bySd.map(({ basis, sd }) => `${basis === "estimate" ? "sd" : "upper sd"} ${shownFigure(sd)}`)],
      rows: (bySd[0]?.designs ?? []).map(({ design, power }, at) => [`${design}, ${100 * power} %`, ...bySd.map(({ designs }) => shownPairs(designs[at]))]),
    },
  }));
}

function shownPairs(design: Design | undefined): string {
  if (design === undefined || design.pairs === null) return `> ${most}`;
  return design.meanPairs === null ? String(design.pairs) : `≤ ${design.pairs}, mean ${shownFigure(Number(design.meanPairs.toPrecision(3)))}`;
}

/** How to read the tables of effects. */
export function effectsNote({ simulated }: NoiseFloorDocument): string {
  return `Upper sd: the upper end of its interval, which is what few seeds cannot rule out. Sequential designs stop when decided: maximum and mean. Assumption: ${simulated.assumption}. ${simulated.experiments} simulated experiments each`;
}
