import { basename } from "node:path";
import type { ExperimentDocument } from "../../sweep/experiment/experiment-summary.js";
import { shownFigure, shownP, signed } from "../../sweep/experiment/experiment-verdict.js";
import { type FigureName, parseMeasure } from "../../sweep/experiment/measures.js";
import type { MeasureComparison } from "../../sweep/experiment/paired-statistics.js";
import type { JudgementDocument } from "../../sweep/judge/judge.js";
import { printable } from "../../text/escaping.js";
import { count } from "../../text/format.js";
import type { Axis, Figure, Mark, Panel, Source } from "../figure.js";
import { axis, seriesOf } from "../panels.js";

const counted = { C: "black holes", P: "tokens", unique: "rows" } as const;

/** The axis of a measure, with its unit. */
export function valueAxis(name: string): Axis {
  const measure = parseMeasure(name);
  if (measure.from === "score") return axis("score: 1 positive, 0 null", null, { domain: [-0.1, 1.1], ticks: [0, 1].map((at) => ({ at, text: String(at) })) });
  if (measure.from === "census") return axis(counted[measure.count]);
  if (measure.from !== "run") return axis("value");
  const axes: Readonly<Record<FigureName, Axis>> = {
    displacement: axis("distance", "weights"),
    finalLoss: axis("loss", "nats per token"),
    evalLoss: axis("loss", "nats per token"),
    stepsToFreeze: axis("steps"),
  };
  return axes[measure.figure];
}

/** Pixels of a row, and where its parts are: texts above, seeds and interval below. */
const rowHeight = 66;
const textAt = [0.12, 0.4] as const;
const barAt = 0.76;
const barHeight = 0.08;
const lanes = 0.36;

/**
 * Differences of every arm from the control, one row per measure and arm: a dot per seed, their centre with its interval, and the margin within which a
 * difference counts as none.
 * @param of `deciding`: measures that decide the verdict; `others`: all other measures that some run has.
 */
export function forest({ control, ...document }: ExperimentDocument, sources: readonly Source[], of: "deciding" | "others"): Figure | undefined {
  const compared: Compared = { ...document, control: control[0]?.arm ?? "control", isPaired: true, axisOf: valueAxis };
  return forestOf(compared, sources, of);
}

/** The differences of a judged table, one row per measure and arm, as in `forest`. */
export function forestOfTable({ table, pairing, ...judgement }: JudgementDocument, of: "deciding" | "others"): Figure | undefined {
  const name = table === "-" ? "standard input" : basename(table);
  const compared: Compared = { ...judgement, name, isPaired: pairing === "paired", axisOf: axis };
  return forestOf(compared, [{ name: `${name}, rules`, hash: judgement.verdict.rulesHash }], of);
}

/** Arms that were compared with a control. */
interface Compared extends Pick<ExperimentDocument, "name" | "measures" | "verdict"> {
  readonly control: string;
  readonly seeds: readonly (number | string)[];
  readonly isPaired: boolean;
  /** The axis of a measure. */
  axisOf(measure: string): Axis;
}

function forestOf(document: Compared, sources: readonly Source[], of: "deciding" | "others"): Figure | undefined {
  const { control, isPaired } = document;
  const arms = document.verdict.arms.map(({ arm }) => arm);
  const isScoreLeft = !document.measures.some(({ measure, decides }) => measure === "score" && decides);
  const own = document.measures.filter(
    ({ measure, decides, control: { n }, treatment }) => (of === "deciding") === (decides || (isScoreLeft && measure === "score")) && n + treatment.n > 0,
  );
  const measures = [...new Set(own.map(({ measure }) => measure))];
  if (measures.length === 0) return undefined;
  const dots = isPaired
    ? "small dots are differences of runs with the same seed, the large dot is their mean or median"
    : "the large dot is the difference of the means of unpaired runs";
  return {
    schema: "bh-bridge/figure@1",
    name: of === "deciding" ? "forest" : "forest-others",
    title: of === "deciding" ? verdictTitle(document) : `Differences from ${control} in the measures that do not decide`,
    caption: `Each row compares an arm with the control; ${dots}; the bar and the numbers in brackets are its interval.${of === "deciding" ? " Shaded: the margin within which a difference counts as none. p is corrected over deciding measures and arms." : " p is two-sided and not corrected."}`,
    sources,
    series: [...arms.map((arm, index) => seriesOf(`${arm} against ${control}`, index + 1)), { ...seriesOf("", 0), color: 7 }],
    panels: measures.map((measure) =>
      forestPanel(
        own.filter((each) => each.measure === measure),
        arms,
        document,
      ),
    ),
    columns: of === "deciding" ? 1 : 2,
  };
}

/** `b: null. c: positive`, or of one arm `jiggle against still: inconclusive`. */
function verdictTitle({ name, verdict, control }: Compared): string {
  const [only, ...others] = verdict.arms;
  if (only && others.length === 0) return `${only.arm} against ${control}: ${only.result}`;
  return `${name}: ${verdict.arms.map(({ arm, result }) => `${arm} ${result}`).join(", ")}`;
}

function forestPanel(rows: readonly MeasureComparison[], arms: readonly string[], document: Compared): Panel {
  const [first] = rows;
  const measure = first?.measure ?? "";
  const { label, unit } = document.axisOf(measure);
  const margin = first?.decides ? (first.margin ?? 0) : 0;
  const isBinary = rows.some(isOfScores);
  const domain = isBinary ? scoreDomain : domainOf(rows, margin, document.isPaired);
  const ruled: Mark[] = [{ mark: "rule", axis: "x", at: 0, text: "" }];
  const band: Mark[] =
    margin > 0 ? [{ mark: "band", series: arms.length, x: [-margin, margin], low: [0, 0], high: [rows.length, rows.length], curve: "straight" }] : [];
  const decides = first?.decides ? `: decides${margin > 0 ? `, margin ${shownFigure(margin)}` : ""}` : measure === "score" ? ": does not decide" : "";
  return {
    title: `${measure}${decides}`,
    x: axis(`difference from ${document.control} in ${measure === "score" ? "score" : label}`, unit, {
      domain,
      ...(isBinary && { ticks: [-1, 0, 1].map((at) => ({ at, text: signed(at) })) }),
    }),
    y: axis("", null, { domain: [rows.length, 0], ticks: [] }),
    equal: false,
    height: rowHeight * rows.length,
    marks: [...band, ...ruled, ...rows.flatMap((row, index) => rowMarks(row, index, arms.indexOf(row.arm), domain[0], document))],
  };
}

const scoreDomain: [number, number] = [-1.15, 1.15];

/** Whether the values are 0 or 1, so that an arm has a number of ones. */
function isOfScores({ discordant, test }: MeasureComparison): boolean {
  return discordant !== undefined || test === "Fisher";
}

/** Of every pair. */
function differencesOf({ control, treatment }: MeasureComparison): (number | null)[] {
  return control.values.map((before, at) => {
    const after = treatment.values[at] ?? null;
    return before === null || after === null ? null : after - before;
  });
}

/** The range of all rows, with zero, the margin, and room at both ends. */
function domainOf(rows: readonly MeasureComparison[], margin: number, isPaired: boolean): [number, number] {
  const values = rows.flatMap((row) => [
    ...(isPaired ? differencesOf(row) : [row.difference.mean]),
    row.difference.interval?.low ?? null,
    row.difference.interval?.high ?? null,
  ]);
  const known = [0, -1.2 * margin, 1.2 * margin, ...values.filter((value) => value !== null)];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (low === high) return [-1, 1];
  return [low - 0.06 * (high - low), high + 0.06 * (high - low)];
}

function rowMarks(row: MeasureComparison, index: number, arm: number, left: number, { seeds, isPaired }: Compared): Mark[] {
  const series = arm;
  const differences = isPaired ? differencesOf(row) : [];
  const known = differences.flatMap((value, seed) => (value === null ? [] : [{ value, seed }]));
  const lane = (seed: number) => index + barAt + lanes * (seeds.length < 2 ? 0 : seed / (seeds.length - 1) - 0.5);
  const centre = row.difference.centre ?? row.difference.mean;
  const interval = row.difference.interval ?? null;
  const at = index + barAt;
  return [
    { mark: "dots", series, x: [left, left], y: textAt.map((share) => index + share), radius: [0, 0], labels: rowTexts(row) },
    ...(interval === null
      ? []
      : [
          {
            mark: "band" as const,
            series,
            x: [interval.low, interval.high],
            low: [at - barHeight / 2, at - barHeight / 2],
            high: [at + barHeight / 2, at + barHeight / 2],
            curve: "straight" as const,
            solid: true,
          },
        ]),
    {
      mark: "dots",
      series,
      x: known.map(({ value }) => value),
      y: known.map(({ seed }) => lane(seed)),
      names: known.map(({ value, seed }) => `${row.arm}, ${row.measure}, seed ${seeds[seed]}: ${signed(value)}`),
    },
    ...(centre === null || (isPaired && known.length < 2)
      ? []
      : [{ mark: "dots" as const, series, x: [centre], y: [at], radius: [6], names: [`${row.arm}, ${row.measure}: ${signed(centre)}`] }]),
  ];
}

/** Maximum length of the name of an arm, so that a row fits a narrow figure. */
const longestArm = 16;

/** What a row states in two short lines, such as `b: +2 (1.1 to 3)` and `p 0.004: differs`. */
function rowTexts(comparison: MeasureComparison): readonly [string, string] {
  const { arm, measure, difference, treatment, control, decides, holm, p, outcome } = comparison;
  const name = printable(arm, longestArm);
  const tested = `p ${shownP(decides ? holm : p)}${decides && outcome ? `: ${outcome}` : ""}`;
  const positive = ({ values }: MeasureComparison["control"]) => values.filter((value) => value === 1).length;
  const word = measure === "score" ? " positive" : "";
  if (isOfScores(comparison)) return [`${name}: ${positive(treatment)} of ${treatment.n}${word}, control ${positive(control)}`, tested];
  const centre = difference.centre ?? difference.mean;
  if (centre === null) return [`${name}: no pair of runs has both values`, tested];
  const { low, high } = difference.interval ?? {};
  const interval =
    low === undefined || high === undefined ? ` (no interval, ${count(difference.n, "pair")})` : ` (${shownFigure(low)} to ${shownFigure(high)})`;
  return [`${name}: ${signed(centre)}${interval}`, tested];
}
