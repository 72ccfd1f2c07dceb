import { csvField } from "../text/csv-field.js";
import type { SweepTrial } from "./sweep-document.js";
import type { TrialResult } from "./trial-result.js";

/** A value in a table of trials; null where there is none. */
type Cell = number | string | boolean | null;

/** What every trial has at its end. */
const measures: readonly (readonly [title: string, of: (result: TrialResult) => Cell])[] = [
  ["steps", ({ steps }) => steps],
  ["seconds", ({ seconds }) => seconds],
  ["finite", ({ finite }) => finite],
  ["finalLoss", ({ finalLoss }) => finalLoss],
  ["C", ({ census }) => census.C],
  ["P", ({ census }) => census.P],
  ["unique", ({ census }) => census.unique],
  ["displacement", ({ displacement }) => displacement.float32],
  ["verdict", ({ verdict }) => verdict.result],
];

/** A row a trial, in the plan's order: identity and status, each field that some trial sets, its numbers at the end, its run, and why it ended early. */
export function trialTable(trials: readonly SweepTrial[]): { head: string[]; rows: Cell[][] } {
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  return {
    head: ["trial", "status", ...paths, ...measures.map(([title]) => title), "run", "reason"],
    rows: trials.map(({ trial, status, set, result, run, reason }) => {
      const numbers = measures.map(([, of]) => (result === null ? null : of(result)));
      return [trial, status, ...paths.map((path) => cellOf(set[path])), ...numbers, run, reason];
    }),
  };
}

/** The table of trials as CSV: a head, and a line a trial. */
export function csvOfTrials(trials: readonly SweepTrial[]): string {
  const { head, rows } = trialTable(trials);
  return [head, ...rows].map((row) => `${row.map(csvField).join(",")}\n`).join("");
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : JSON.stringify(value);
}
