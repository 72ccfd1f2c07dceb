import { count } from "../text/count.js";
import { markdownTable, markdownText } from "../text/markdown-table.js";
import { withRelativePaths } from "../text/relative-paths.js";
import { moments } from "./statistics/moments.js";
import type { SweepDocument, SweepTrial } from "./sweep-document.js";
import type { TrialResult } from "./trial-result.js";

/** What is told of a point, of each of its results a number; null where a run has none. */
const measures: readonly (readonly [title: string, of: (result: TrialResult) => number | null])[] = [
  ["C", ({ census }) => census.C],
  ["P", ({ census }) => census.P],
  ["unique", ({ census }) => census.unique],
  ["final loss", ({ finalLoss }) => finalLoss],
  ["displacement", ({ displacement }) => displacement.float32],
];
const digits = 4;

/** `summary.md` of a sweep: a row for each point, every number as mean ± standard deviation over its n seeds. Paths are relative to its directory. */
export function summaryText({ name, directory, trials, counts }: SweepDocument): string {
  const told = Object.entries(counts).filter(([, number]) => number > 0);
  const { head, rows } = summaryTable(trials);
  const failed = trials.filter(({ status, reason }) => status === "failed" && reason !== null);
  const text = [
    `# Sweep ${markdownText(name)}`,
    "",
    `${count(trials.length, "trial")}: ${told.map(([status, number]) => `${number} ${status}`).join(", ")}.`,
    "Each number is the mean over n seeds ± their standard deviation (n − 1); with one seed it has none.",
    "",
    markdownTable(
      head,
      rows.map((row) => row.map(markdownText)),
    ),
    ...(failed.length > 0 ? ["", "## Failed", "", ...failed.map(({ trial, reason }) => `- ${trial}: ${markdownText(reason?.split("\n")[0] ?? "")}`)] : []),
    "",
  ].join("\n");
  return directory === null ? text : withRelativePaths(text, directory);
}

/** A row for each arm of an experiment or point of a sweep: its name or what it sets, then n and its numbers over the seeds. */
export function summaryTable(trials: readonly SweepTrial[]): { head: string[]; rows: string[][] } {
  const points = [...pointsOf(trials).values()];
  if (trials.some(({ arm }) => arm !== undefined)) {
    return { head: ["arm", "n", ...measures.map(([title]) => title)], rows: points.map((all) => [all[0]?.arm ?? "", ...numbersOf(all)]) };
  }
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))].filter((path) => path !== "seed");
  return {
    head: [...paths, "n", ...measures.map(([title]) => title)],
    rows: points.map((all) => [...paths.map((path) => cell(all[0]?.set[path])), ...numbersOf(all)]),
  };
}

/** The trials that differ in their seed alone, in order. */
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
  return [
    String(results.length),
    ...measures.map(([, of]) =>
      spread(
        results.flatMap((result) => of(result) ?? []),
        results.length,
      ),
    ),
  ];
}

/** `1.25 ± 0.5`; where not all of the n runs have the number, how many have. */
function spread(values: readonly number[], n: number): string {
  const { mean, sd } = moments(values);
  if (values.length === 0 || mean === null) return "–";
  const shown = (value: number) => String(Number(value.toPrecision(digits)));
  return `${shown(mean)}${sd === null ? "" : ` ± ${shown(sd)}`}${values.length < n ? ` (n = ${values.length})` : ""}`;
}

function cell(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
