import { z } from "zod";
import { markdownTable, markdownText } from "../../text/escaping.js";
import { count } from "../../text/format.js";
import type { Question } from "../plan/plan.js";
import type { Interval } from "../statistics/moments.js";
import { withRelativePaths } from "../sweep-summary.js";
import { confoundSchema } from "./confounds.js";
import { armLines, type ExperimentVerdict, experimentVerdict, experimentVerdictSchema, shownFigure, shownP } from "./experiment-verdict.js";
import { describeMeasure } from "./measures.js";
import { type MeasureComparison, measureComparisonSchema } from "./paired-statistics.js";
import { type ExperimentRun, experimentRunSchema } from "./read-experiment-run.js";
import { isJudgedBy, lookSchema } from "./rules.js";
import { sequentialEvidenceSchema, shownE } from "./sequential.js";

/** `bh-bridge/experiment@1`: the document of `experiment --json` and the `result.json` of an experiment. */
export const experimentDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/experiment@1"),
  directory: z.string(),
  name: z.string(),
  seeds: z.array(z.int().nonnegative()).readonly().describe("The planned seeds"),
  control: z.array(experimentRunSchema).readonly().describe("The runs of the first arm"),
  treatment: z.array(experimentRunSchema).readonly().describe("The runs of all other arms"),
  measures: z.array(measureComparisonSchema).readonly().describe("Every measure of every other arm against the first; deciding measures come first"),
  confounds: z.array(confoundSchema).readonly(),
  comparedTensors: z.array(z.string()).readonly().describe("Tensors whose initial values were compared, by their names in PyTorch"),
  traps: z
    .array(z.strictObject({ what: z.string(), corrected: z.string() }))
    .readonly()
    .describe("The notebook's pitfalls that all arms share, each with the setting that corrects it"),
  looks: z.array(lookSchema).readonly().optional().describe("Earlier verdicts over other seeds"),
  sequential: sequentialEvidenceSchema.optional().describe("Under sequential rules: the evidence after each pair"),
  verdict: experimentVerdictSchema,
});
export type ExperimentDocument = z.output<typeof experimentDocumentSchema>;

/**
 * A verdict that an earlier version has stored, with answer, evidence, and what is missing for each arm, from the stored measures.
 * @param question of the plan. Under other rules than these, the verdict is inconclusive.
 */
export function storedVerdict(
  { verdict, measures, control, treatment }: Pick<ExperimentDocument, "verdict" | "measures" | "control" | "treatment">,
  { rules, seeds, arms }: Pick<Question, "rules" | "seeds" | "arms">,
): ExperimentVerdict {
  const isCurrent = isJudgedBy(rules, verdict);
  if (isCurrent && verdict.arms.every(({ answer }) => answer !== undefined)) return verdict;
  const [first = "", ...treatments] = arms;
  const again = experimentVerdict({ rules, seeds, control: first, treatments, runs: [...control, ...treatment] }, measures);
  const linesOf = (arm: string) => again.arms.find((each) => each.arm === arm);
  if (isCurrent) return { ...verdict, arms: verdict.arms.map((each) => ({ ...linesOf(each.arm), ...each })) };
  const remedy = "Run the experiment again to apply the current rules; no trial is trained twice";
  const reason = `an earlier version judged this experiment (${verdict.result}) by rules that have changed. ${remedy}`;
  return {
    ...verdict,
    result: "inconclusive",
    reason,
    arms: verdict.arms.map(({ arm, result: before }) => {
      const evidence = linesOf(arm)?.evidence;
      return {
        arm,
        result: "inconclusive",
        reason,
        answer: `an earlier version judged ${before} by rules that have changed`,
        ...(evidence !== undefined && { evidence }),
        missing: "a verdict by the current rules: run the experiment again; no trial is trained twice",
      };
    }),
  };
}

/** `summary.md` of an experiment. Paths are relative to its directory. */
export function experimentSummary(document: ExperimentDocument): string {
  const { name, verdict } = document;
  const control = document.control[0]?.arm ?? "control";
  const arms = verdict.arms.map(({ arm }) => arm);
  const text = [
    `# ${markdownText(name)}: ${verdict.result}`,
    list(
      armLines(verdict).map(
        ({ arm, answer, evidence, missing }) => `**${arm}**: ${answer}\n  - evidence: ${evidence}${missing === undefined ? "" : `\n  - missing: ${missing}`}`,
      ),
    ),
    `${sentence(verdict.reason)}`,
    ...(verdict.notes ? [list(verdict.notes.map(sentence))] : []),
    ...(document.sequential ? ["## Evidence as it grew", list(evidenceLines(document).map((line) => sentence(markdownText(line))))] : []),
    `Control: ${control}. Against it: ${arms.join(", ")}. Seeds: ${seedsLine(document)}.`,
    "## Rules",
    `Fixed before the first step; SHA-256 \`${verdict.rulesHash}\`.`,
    list(verdict.rules.map(sentence)),
    ...arms.flatMap((arm) => comparisonSection(document, control, arm)),
    "## Confounds",
    comparedSentence(document),
    confoundsSection(document),
    ...(document.traps.length > 0 ? ["Shared by all arms:", list(document.traps.map(({ what, corrected }) => `${what}. Corrected by \`${corrected}\``))] : []),
    "## Runs",
    markdownTable(["arm", "seed", "score", "C", "P", "displacement", "final loss", "run"], [...document.control, ...document.treatment].map(runRow)),
  ]
    .join("\n\n")
    .concat("\n");
  return withRelativePaths(text, document.directory);
}

/** The planned seeds; of a sequential experiment, which may need few of them, those with a run. */
export function seedsTrained({ seeds, sequential, control, treatment }: ExperimentDocument): number[] {
  const trained = new Set([...control, ...treatment].map(({ seed }) => seed));
  return seeds.filter((seed) => sequential === undefined || trained.has(seed));
}

/** How many seeds an experiment has, and which. */
export function seedsLine(document: ExperimentDocument): string {
  const trained = seedsTrained(document);
  const most = document.sequential === undefined ? "" : ` of at most ${document.seeds.length}`;
  return `${trained.length}${most}${trained.length === 0 ? "" : `: ${trained.join(", ")}`}`;
}

/** What a sequential experiment has not trained, and a sparkline of the evidence for each arm and deciding measure; empty for fixed seeds. */
export function evidenceLines({ sequential, control, treatment }: ExperimentDocument): string[] {
  if (sequential === undefined) return [];
  const { arms, maximum, threshold } = sequential;
  const trained = (arm: string) => treatment.filter((run) => run.arm === arm).length;
  const ended = arms.filter(({ state }) => state !== "undecided");
  const ofControl = ended.length === arms.length ? maximum - control.length : 0;
  const saved = ended.reduce((sum, { arm }) => sum + maximum - trained(arm), ofControl);
  const growth = arms.flatMap(({ arm, result, measures, pairs }) =>
    measures.map(({ measure, corrected, eNull }) => {
      const [values, what] = result === "null" ? [eNull, "does not differ"] : [corrected, "differs"];
      return `${arm}, ${measure} ${what}: ${sparkline(values, threshold)} e = ${shownE(values.at(-1) ?? 1)} after ${count(pairs, "pair")}, ${shownE(threshold)} needed`;
    }),
  );
  const stops = ended.filter(({ pairs }) => pairs < maximum).map(({ arm, state, pairs }) => stopOf(arm, state, `${pairs} of ${count(maximum, "pair")}`));
  return [...(stops.length > 0 ? [`${stops.join("; ")}. ${count(saved, "training")} not needed`] : []), ...growth];
}

function stopOf(arm: string, state: string, pairs: string): string {
  return state === "hopeless" ? `${arm} stopped after ${pairs}, as further pairs cannot decide` : `${arm} decided after ${pairs}`;
}

const bars = "▁▂▃▄▅▆▇█";

/** Evidence over the pairs on a logarithmic scale: the lowest bar is 1 or less, the highest the threshold or more. */
function sparkline(eValues: readonly number[], threshold: number): string {
  const last = bars.length - 1;
  return eValues.map((e) => bars[Math.max(0, Math.min(last, Math.floor((last * Math.log(e)) / Math.log(threshold) + 1e-9)))] ?? "").join("");
}

function comparisonSection(document: ExperimentDocument, control: string, arm: string): string[] {
  const { measures, seeds } = document;
  const shown = measures.filter((comparison) => comparison.arm === arm && comparison.control.n + comparison.treatment.n > 0);
  const listed = seedsTrained(document).map((seed) => seeds.indexOf(seed));
  const head = ["measure", control, arm, "difference", "t interval", "sign-flip interval", "interval of the verdict", "p", "corrected p"];
  return [
    `## ${arm} against ${control}`,
    "Mean ± sample standard deviation (n). Differences are paired by seed, treatment minus control. Measures in bold decide.",
    markdownTable(head, shown.map(measureRow)),
    list(shown.map(({ measure }) => `${measure}: ${describeMeasure(measure)}`)),
    "Values by seed:",
    markdownTable(
      ["measure", "arm", ...listed.map((at) => String(seeds[at]))],
      shown.flatMap(({ measure, control: before, treatment }) => [
        [measure, control, ...listed.map((at) => shownFigure(before.values[at] ?? null))],
        [measure, arm, ...listed.map((at) => shownFigure(treatment.values[at] ?? null))],
      ]),
    ),
  ];
}

function measureRow({ measure, decides, margin, control, treatment, difference, discordant, test, p, holm }: MeasureComparison): string[] {
  const name = decides ? `**${measure}** (margin ${shownFigure(margin)})` : measure;
  const pairs = discordant === undefined ? "" : `; discordant ${discordant.onlyTreatment} : ${discordant.onlyControl}`;
  const tested = test === null ? shownP(p) : `${shownP(p)} (${test})`;
  return [
    name,
    spread(control),
    spread(treatment),
    `${spread(difference)}${pairs}`,
    range(difference.tInterval),
    range(difference.signFlipInterval),
    range(difference.interval ?? null),
    tested,
    decides ? shownP(holm) : "",
  ];
}

function spread({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }): string {
  return n === 0 ? "–" : `${shownFigure(mean)} ± ${shownFigure(sd)} (${n})`;
}

function range(interval: Interval | null): string {
  return interval === null ? "–" : `${shownFigure(interval.low)} to ${shownFigure(interval.high)}`;
}

function comparedSentence({ comparedTensors }: ExperimentDocument): string {
  const tensors =
    comparedTensors.length === 0 ? "" : `the values of ${count(comparedTensors.length, "tensor")} before the first step (${comparedTensors.join(", ")}), `;
  return `Compared in each pair of runs: weight decay of every parameter, number of parameters, ${tensors}the text, its windows and their order, what draws random numbers, environment and package versions.`;
}

function confoundsSection(document: ExperimentDocument): string {
  const { confounds } = document;
  const trained = seedsTrained(document).length;
  if (confounds.length === 0) return "No differences were found other than the settings of the arms.";
  const head = ["arm", "what differs", "control", "treatment", "removed by"];
  return markdownTable(
    head,
    confounds.map(({ arm, what, control, treatment, remove, seeds: of }) => {
      const where = of.length === trained ? "" : ` (${of.length === 1 ? "seed" : "seeds"} ${of.join(", ")})`;
      return [arm, `${what}${where}`, control, treatment, remove === null ? "no option" : `\`${remove}\``];
    }),
  );
}

function runRow({ arm, seed, score, census, displacement, finalLoss, run }: ExperimentRun): string[] {
  return [arm, String(seed), score.result, String(census.C), String(census.P), shownFigure(displacement.float64), shownFigure(finalLoss), `\`${run}\``];
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}
