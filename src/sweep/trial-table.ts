import { csvField } from "../text/csv-field.js";
import type { SweepTrial } from "./sweep-document.js";
import type { TrialResult } from "./trial-result.js";
import type { SettingOf } from "./trial-settings.js";

/** A value in a table of trials; null where there is none. */
type Cell = number | string | boolean | null;

/** A verdict in a table: pandas and DuckDB read the word `null` of a CSV as a missing value. */
const verdictWords: Readonly<Record<TrialResult["verdict"]["result"], string>> = { positive: "positive", null: "null result", degenerate: "degenerate" };

/** What the values of a column are; those of `whole` are numbers without a fraction, `text` is what has no one kind. */
export type ColumnKind = "text" | "truth" | "whole" | "real";

/** What every trial has at its end. */
const measures: readonly (readonly [title: string, kind: ColumnKind, of: (result: TrialResult) => Cell])[] = [
  ["steps", "whole", ({ steps }) => steps],
  ["seconds", "real", ({ seconds }) => seconds],
  ["finite", "truth", ({ finite }) => finite],
  ["finalLoss", "real", ({ finalLoss }) => finalLoss],
  ["C", "whole", ({ census }) => census.C],
  ["P", "whole", ({ census }) => census.P],
  ["unique", "whole", ({ census }) => census.unique],
  ["displacement", "real", ({ displacement }) => displacement.float32],
  ["verdict", "text", ({ verdict }) => verdictWords[verdict.result]],
];

export interface TrialTable {
  head: string[];
  /** Of each column. */
  kinds: ColumnKind[];
  rows: Cell[][];
}

/**
 * A row for each trial, in the order of the plan: identity, arm in an experiment, status, each field that some trial sets, the numbers at the end, the run, and
 * why it ended early.
 *
 * @param settingOf the value of a field in a trial that does not set it.
 */
export function trialTable(trials: readonly SweepTrial[], settingOf: SettingOf): TrialTable {
  const arms = trials.some(({ arm }) => arm !== undefined) ? ["arm"] : [];
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  const settings = trials.map(({ set }) => paths.map((path) => cellOf(Object.hasOwn(set, path) ? set[path] : settingOf(set, path))));
  const kinds = paths.map((_, column) => kindOf(settings.map((row) => row[column] ?? null)));
  return {
    head: ["trial", ...arms, "status", ...paths, ...measures.map(([title]) => title), "run", "reason"],
    kinds: ["text", ...arms.map(() => "text" as const), "text", ...kinds, ...measures.map(([, kind]) => kind), "text", "text"],
    rows: trials.map(({ trial, arm, status, result, run, reason }, row) => {
      const numbers = measures.map(([, , of]) => (result === null ? null : of(result)));
      return [trial, ...arms.map(() => arm ?? null), status, ...(settings[row] ?? []), ...numbers, run, reason];
    }),
  };
}

/** A table as CSV: a head, and a line for each trial. */
export function csvOfTrials({ head, rows }: TrialTable): string {
  return [head, ...rows].map((row) => `${row.map(csvField).join(",")}\n`).join("");
}

function kindOf(column: readonly Cell[]): ColumnKind {
  const cells = column.filter((cell) => cell !== null);
  if (cells.every((cell) => typeof cell === "number")) return cells.every((cell) => Number.isSafeInteger(cell)) ? "whole" : "real";
  return cells.every((cell) => typeof cell === "boolean") ? "truth" : "text";
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : JSON.stringify(value);
}
