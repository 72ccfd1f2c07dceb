import { relative } from "node:path";
import { executorKinds } from "../../sweep/executors/executors.js";
import { type ExperimentDocument, evidenceLines } from "../../sweep/experiment/experiment-summary.js";
import { armLines, shownFigure, shownP } from "../../sweep/experiment/experiment-verdict.js";
import { effectsNote, effectTables, floorTable, type NoiseFloorDocument } from "../../sweep/experiment/noise-floor.js";
import type { JudgementDocument } from "../../sweep/judge/judge.js";
import { distinctLabels, trialLabel } from "../../sweep/plan/trial-label.js";
import type { Moments } from "../../sweep/statistics/moments.js";
import type { ClusterJob, PlanCost, SweepDocument, SweepTrial } from "../../sweep/sweep-document.js";
import { pointsOf, summaryTable } from "../../sweep/sweep-summary.js";
import { printable } from "../../text/escaping.js";
import { count, formatBytes, groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { formatDuration } from "../terminal/progress.js";
import { columnWidths, defaultWidth, table, tableWidth } from "../terminal/table.js";

const maxRows = 40;

export function formatCounts(counts: SweepDocument["counts"], color: TextColors): string {
  const paint: Readonly<Record<string, (text: string) => string>> = { completed: color.green, failed: color.red, pruned: color.yellow, lost: color.yellow };
  const present = Object.entries(counts).filter(([, number]) => number > 0);
  return present.map(([status, number]) => (paint[status] ?? String)(`${groupDigits(number)} ${status}`)).join(", ") || "no trials";
}

/** Lines of a screen above and below the table of the points, including the prompt. */
const linesAround = 10;
const minRows = 5;

/** Format a sweep: the number of trials by status, and the results of each point over its seeds. @param height lines of the screen to fit, if there is one. */
export function formatSweep(
  { name, directory, trials, counts, jobs = [] }: SweepDocument,
  color: TextColors,
  { width, height = Number.POSITIVE_INFINITY }: { width?: number | undefined; height?: number | undefined } = {},
): string {
  const { head, rows } = pointsTable(trials, width);
  const fitting = Math.min(maxRows, Math.max(minRows, height - linesAround - jobs.length));
  const hidden = rows.length - fitting;
  return [
    `${color.bold(printable(name))}  ${count(trials.length, "trial")}: ${formatCounts(counts, color)}`,
    ...(directory === null ? [] : [color.dim(relative(process.cwd(), directory) || ".")]),
    ...formatJobs(jobs),
    "",
    table(head, rows.slice(0, fitting), { width }),
    ...(hidden > 0 ? [color.dim(`… and ${count(hidden, "more point")} in summary.md`)] : []),
    color.dim("mean ± standard deviation over n seeds"),
  ].join("\n");
}

/** The table of the points. If it is too wide, it is printed in parts, whose rows need labels. */
function pointsTable(trials: readonly SweepTrial[], width = defaultWidth): { head: string[]; rows: string[][] } {
  const { head, rows } = summaryTable(trials);
  const settings = head.indexOf("n");
  if (settings < 2 || tableWidth(columnWidths(head, rows)) <= width) return { head, rows };
  const firsts = [...pointsOf(trials).values()].flatMap(([first]) => {
    if (!first) return [];
    const { seed: _, ...set } = first.set;
    return [{ ...first, set }];
  });
  const labelOf = distinctLabels(firsts);
  return { head: ["point", ...head.slice(settings)], rows: rows.map((row, at) => [firsts[at] ? labelOf(firsts[at]) : "", ...row.slice(settings)]) };
}

const titles = new Map(executorKinds.map(([name, { title }]) => [name, title]));

/** `SLURM job 12: 3 running, 5 pending (Resources)`: tasks of each job by state. */
function formatJobs(jobs: readonly ClusterJob[]): string[] {
  const titleOf = ({ executor, job }: ClusterJob) => `${titles.get(executor)} job ${job}`;
  return [...new Set(jobs.map(titleOf))].map((title) => {
    const tasks = jobs.filter((each) => titleOf(each) === title);
    const words = [...new Set(tasks.map(stateOf))].map((state) => `${groupDigits(tasks.filter((each) => stateOf(each) === state).length)} ${state}`);
    return `${title}: ${words.join(", ")}`;
  });
}

function stateOf({ state, reason }: ClusterJob): string {
  return `${state.toLowerCase()}${reason === null ? "" : ` (${printable(reason)})`}`;
}

/** Format a dry run: trials with their status, and the estimated cost. */
export function formatPreview({ name, directory, trials, counts, cost, sequential }: SweepDocument, color: TextColors, width?: number): string {
  const arms = trials.some(({ arm }) => arm !== undefined) ? ["arm"] : [];
  const shown = trials.slice(0, maxRows).map(({ trial, arm = "", status, set }) => [trial, status, ...arms.map(() => arm), trialLabel({ set })]);
  const hidden = trials.length - shown.length;
  return [
    `${color.bold(printable(name))}  ${count(trials.length, "trial")}: ${formatCounts(counts, color)}`,
    ...(directory === null ? [] : [color.dim(`continues ${relative(process.cwd(), directory) || "."}`)]),
    "",
    table(["trial", "status", ...arms, "sets"], shown, { align: ["left", "left", "left", "left"], width }),
    ...(hidden > 0 ? [color.dim(`… and ${count(hidden, "more trial")}`)] : []),
    ...(cost ? ["", sequential && cost.trials > 0 ? `At most ${formatCost(cost)}` : formatCost(cost)] : []),
    ...(sequential
      ? [
          `At most ${count(sequential.maximum, "pair")}: training stops as soon as the rules decide`,
          ...sequential.rules.map((rule) => wrap(`  ${rule}`, width)),
        ]
      : []),
  ].join("\n");
}

function formatCost(cost: PlanCost): string {
  const { trials, workers, together, diskBytes, diskIsLeast = false, freeBytes, stepsPerSecond, memoryBytes } = cost;
  if (trials === 0) return "No trials left to train";
  const atATime = together === undefined ? `${workers} at a time` : `${together} at a time on ${count(workers, "worker")}`;
  const memory = stepsPerSecond === null ? "" : `, ${formatBytes(memoryBytes)} of memory`; // measured together with the speed
  const disk = `${formatBytes(diskBytes)} of disk at ${diskIsLeast ? "least" : "most"} (${formatBytes(freeBytes)} free)`;
  return `${count(trials, "trial")} to train, ${atATime}: ${formatTime(cost)}${disk}${memory}`;
}

/** Empty if the time is unknown, which is stated for batched runs, as one might expect it from trials that were trained alone. */
function formatTime({ together, stepsPerSecond, seconds }: PlanCost): string {
  if (seconds === null || stepsPerSecond === null) return together === undefined ? "" : "time unknown, as no such batch of runs was measured, ";
  return `≈ ${formatDuration(seconds)} at ${stepsPerSecond.toPrecision(3)} steps/s each, `;
}

const paintOf = ({ result }: ExperimentDocument["verdict"], color: TextColors) =>
  ({ positive: color.green, null: color.cyan, inconclusive: color.yellow, degenerate: color.yellow })[result];

/** Format an experiment: verdict, measures, confounds, and the path of its summary. */
export function formatExperiment(document: ExperimentDocument, color: TextColors, width?: number): string {
  const { name, directory, verdict, measures, confounds, seeds, control, sequential } = document;
  const lines = [
    `${color.bold(printable(name))}: ${paintOf(verdict, color)(verdict.result)}  ${sequential ? "at most " : ""}${count(seeds.length, "seed")}`,
    ...verdictLines(verdict, color),
    ...evidenceLines(document).map((line) => `  ${printable(line)}`),
    "",
    measuresTable(measures, control[0]?.arm ?? "control", width),
    color.dim("* decides. Mean ± sample standard deviation (n); differences are paired by seed"),
    ...(confounds.length > 0
      ? ["", color.bold("Other differences between the arms"), ...confounds.map(({ what, remove }) => `  ${what}${remove ? `. Removed by ${remove}` : ""}`)]
      : []),
    "",
    color.dim(`Rules, values by seed and confounds: ${relative(process.cwd(), directory) || "."}/summary.md`),
  ];
  return wrap(lines.join("\n"), width);
}

/** Three lines per arm, then the limits of the verdict. */
function verdictLines(verdict: ExperimentDocument["verdict"], color: TextColors): string[] {
  return [
    ...armLines(verdict).flatMap(({ arm, answer, evidence, missing }) => [
      `  ${color.bold(printable(arm))}: ${answer}`,
      `    evidence: ${evidence}`,
      ...(missing === undefined ? [] : [`    missing: ${missing}`]),
    ]),
    ...(verdict.notes ?? []).map((note) => color.yellow(`  ${note}`)),
  ];
}

function measuresTable(measures: ExperimentDocument["measures"], control: string, width: number | undefined): string {
  const shown = measures.filter(({ control: one, treatment }) => one.n + treatment.n > 0);
  const [only, ...others] = new Set(measures.map(({ arm }) => arm));
  const isOne = others.length === 0;
  const head = ["measure", control, ...(isOne ? [only ?? "treatment"] : ["arm", "mean"]), "difference", "p (corrected)"];
  const rows = shown.map(({ measure, decides, arm, control: one, treatment, difference, p, holm }) => [
    decides ? `${measure} *` : measure,
    spread(one),
    ...(isOne ? [] : [arm]),
    spread(treatment),
    spread(difference),
    holm === null ? shownP(p) : `${shownP(p)} (${shownP(holm)})`,
  ]);
  return table(head, rows, { align: isOne ? ["left"] : ["left", "right", "left"], width });
}

/** Format the judgement of a table: verdict and measures. */
export function formatJudgement({ verdict, measures, control, pairing, seeds }: JudgementDocument, color: TextColors, width?: number): string {
  const isPaired = pairing === "paired";
  const lines = [
    `${paintOf(verdict, color)(verdict.result)}  against ${printable(control)}, ${isPaired ? count(seeds.length, "pair") : "unpaired"}`,
    ...verdictLines(verdict, color),
    "",
    measuresTable(measures, control, width),
    color.dim(`* decides. Mean ± sample standard deviation (n)${isPaired ? "; differences are paired by seed" : ""}`),
    "",
    ...verdict.rules.filter((rule) => /^(?:test|sequential):/.test(rule)).map((rule) => color.dim(rule)),
    color.dim(`SHA-256 of the rules: ${verdict.rulesHash}`),
  ];
  return wrap(lines.join("\n"), width);
}

/** Format a noise floor: the spread of every measure, and the pairs for each effect. */
export function formatNoiseFloor(document: NoiseFloorDocument, color: TextColors, width?: number): string {
  const { name, control, runs, directory, effects } = document;
  const floor = floorTable(document);
  return [
    `${color.bold(printable(name))}: noise floor${control === null ? "" : ` of ${printable(control)}`}, ${count(runs.length, "run")}`,
    "",
    table(floor.head, floor.rows, { width }),
    ...effectTables(document).flatMap(({ title, table: { head, rows } }) => ["", wrap(title, width), table(head, rows, { width })]),
    ...(effects.length > 0 ? ["", color.dim(wrap(effectsNote(document), width))] : []),
    "",
    color.dim(`Values by seed: ${relative(process.cwd(), directory) || "."}/result.json`),
  ].join("\n");
}

function spread({ n, mean, sd }: Moments): string {
  return mean === null ? "–" : `${shownFigure(mean)}${sd === null ? "" : ` ± ${shownFigure(sd)}`} (${n})`;
}
