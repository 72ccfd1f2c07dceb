import { relative, resolve, sep } from "node:path";
import type { LockHolders } from "../runs/scan-runs.js";
import { markdownTable, markdownText } from "../text/escaping.js";
import { count } from "../text/format.js";
import type { Conclude } from "./conduct-plan.js";
import { viewJobs } from "./executors/executors.js";
import { readLedger } from "./ledger.js";
import { type Plan, withArms } from "./plan/plan.js";
import { readPlan } from "./plan/plan-directory.js";
import { resultNumbers, type TrialResult } from "./pool/trial-task.js";
import { moments } from "./statistics/moments.js";
import { type SweepDocument, type SweepTrial, sweepDocument, trialStates } from "./sweep-document.js";

/** An absolute path with two parts or more, but not the end of a URL or a pattern between slashes. */
const absolutePath = /(?<![\w.~:/])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g;

/** Make every absolute path relative to a directory, so that a text can be published. */
export function withRelativePaths(text: string, directory: string): string {
  const base = resolve(directory);
  return text.replaceAll(`${base}${sep}`, "").replaceAll(absolutePath, (path) => relative(base, path) || ".");
}

const titles = Object.keys(resultNumbers).map((name) => (name === "finalLoss" ? "final loss" : name));
const digits = 4;

/** `summary.md` of a sweep: a row per point with mean ± standard deviation over n seeds. Paths are relative to its directory. */
export function summaryText({ name, directory, trials, counts }: SweepDocument): string {
  const listed = Object.entries(counts).filter(([, number]) => number > 0);
  const { head, rows } = summaryTable(trials);
  const texts = rows.map((row) => row.map(markdownText));
  const failed = trials.filter(({ status, reason }) => status === "failed" && reason !== null);
  const text = [
    `# Sweep ${markdownText(name)}`,
    "",
    `${count(trials.length, "trial")}: ${listed.map(([status, number]) => `${number} ${status}`).join(", ")}.`,
    "Each number is the mean over n seeds ± the sample standard deviation (n − 1), which one seed does not have.",
    "",
    markdownTable(head, texts),
    ...(failed.length > 0 ? ["", "## Failed", "", ...failed.map(({ trial, reason }) => `- ${trial}: ${markdownText(reason?.split("\n")[0] ?? "")}`)] : []),
    "",
  ].join("\n");
  return directory === null ? text : withRelativePaths(text, directory);
}

/** A row per arm or point: its name or its values, then n and its numbers over the seeds. */
export function summaryTable(trials: readonly SweepTrial[]): { head: string[]; rows: string[][] } {
  const points = [...pointsOf(trials).values()];
  if (trials.some(({ arm }) => arm !== undefined)) {
    return { head: ["arm", "n", ...titles], rows: points.map((all) => [all[0]?.arm ?? "", ...numbersOf(all)]) };
  }
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))].filter((path) => path !== "seed");
  return {
    head: [...paths, "n", ...titles],
    rows: points.map((all) => [...paths.map((path) => cell(all[0]?.set[path])), ...numbersOf(all)]),
  };
}

/** Group trials that differ only in their seed, in order. */
export function pointsOf(trials: readonly SweepTrial[]): Map<string, SweepTrial[]> {
  const points = new Map<string, SweepTrial[]>();
  for (const trial of trials) {
    const { seed: _, ...point } = trial.set;
    const key = trial.arm ?? JSON.stringify(Object.entries(point).sort());
    points.set(key, [...(points.get(key) ?? []), trial]);
  }
  return points;
}

function numbersOf(trials: readonly SweepTrial[]): string[] {
  const results = trials.flatMap(({ status, result }) => (status === "failed" ? [] : (result ?? [])));
  const numbers = (of: (result: TrialResult) => number | null) => results.flatMap((result) => of(result) ?? []);
  return [String(results.length), ...Object.values(resultNumbers).map((of) => spread(numbers(of), results.length))];
}

/** `1.25 ± 0.5`, with the count if not all n runs have the number. */
function spread(values: readonly number[], n: number): string {
  const { mean, sd } = moments(values);
  if (values.length === 0 || mean === null) return "–";
  const shown = (value: number) => String(Number(value.toPrecision(digits)));
  return `${shown(mean)}${sd === null ? "" : ` ± ${shown(sd)}`}${values.length < n ? ` (n = ${values.length})` : ""}`;
}

function cell(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

/** The result of a sweep: the states of its trials, without a verdict. */
export function concludeSweep({ name }: Pick<Plan, "name">): Conclude<SweepDocument> {
  return ({ directory, trials }) => {
    const document = sweepDocument(name, directory, trials);
    return { document, summary: summaryText(document) };
  };
}

/** The current document of a sweep, from its files; it may be running. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`. */
export async function readSweep(path: string, lockHolders: LockHolders): Promise<SweepDocument> {
  const directory = resolve(path);
  const { name, question, trials } = readPlan(directory);
  const planned = withArms(trials, question?.cells ?? []);
  const ledger = readLedger(directory);
  const isUnderWay = (await lockHolders([directory])).has(directory);
  const { jobs, lines, underWay } = await viewJobs(directory);
  const newest = (trial: string) => lines.get(trial) ?? ledger.get(trial);
  const states = trialStates(directory, planned, newest, (trial) => isUnderWay || underWay.has(trial));
  return { ...sweepDocument(name, directory, states), ...(jobs.length > 0 && { jobs }) };
}
