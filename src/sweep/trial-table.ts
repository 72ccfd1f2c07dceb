import { csvField } from "../text/csv-field.js";
import type { SweepTrial } from "./sweep-document.js";
import type { TrialResult } from "./trial-result.js";

/** A value in a table of trials; null where there is none. */
type Cell = number | string | boolean | null;

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
  ["verdict", "text", ({ verdict }) => verdict.result],
];

interface TrialTable {
  head: string[];
  /** Of each column. */
  kinds: ColumnKind[];
  rows: Cell[][];
}

/** A row a trial, in the plan's order: identity and status, each field that some trial sets, its numbers at the end, its run, and why it ended early. */
export function trialTable(trials: readonly SweepTrial[]): TrialTable {
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  return {
    head: ["trial", "status", ...paths, ...measures.map(([title]) => title), "run", "reason"],
    kinds: ["text", "text", ...paths.map((path) => kindOf(trials, path)), ...measures.map(([, kind]) => kind), "text", "text"],
    rows: trials.map(({ trial, status, set, result, run, reason }) => {
      const numbers = measures.map(([, , of]) => (result === null ? null : of(result)));
      return [trial, status, ...paths.map((path) => cellOf(set[path])), ...numbers, run, reason];
    }),
  };
}

/** The table of trials as CSV: a head, and a line a trial. */
export function csvOfTrials(trials: readonly SweepTrial[]): string {
  const { head, rows } = trialTable(trials);
  return [head, ...rows].map((row) => `${row.map(csvField).join(",")}\n`).join("");
}

function kindOf(trials: readonly SweepTrial[], path: string): ColumnKind {
  const cells = trials.map(({ set }) => cellOf(set[path])).filter((cell) => cell !== null);
  if (cells.every((cell) => typeof cell === "number")) return cells.every((cell) => Number.isSafeInteger(cell)) ? "whole" : "real";
  return cells.every((cell) => typeof cell === "boolean") ? "truth" : "text";
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : JSON.stringify(value);
}
