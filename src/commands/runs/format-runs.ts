import Table from "cli-table3";
import { printable } from "../printable.js";
import type { Terminal } from "../terminal.js";
import { type FieldValue, fieldOf, type ListedRun } from "./run-fields.js";

/** How a list is written. */
export const listFormats = ["table", "csv", "md"] as const;
export type ListFormat = (typeof listFormats)[number];

/** What is shown when nobody chooses columns. */
export const defaultColumns: readonly string[] = ["run", "status", "steps", "planned", "loss", "C", "P", "tags"];

/** Longer texts (a reason, a note) are cut in a table; csv has all of them. */
const maxCell = 60;

/** A list of runs as a table for people, as CSV (RFC 4180) or as a Markdown table. */
export function formatRuns(runs: readonly ListedRun[], columns: readonly string[], format: ListFormat, color: Terminal["color"]): string {
  const cells = runs.map((run) => columns.map((column) => shown(fieldOf(run, column))));
  if (format === "csv") return [columns, ...cells].map((line) => line.map(csvCell).join(",")).join("\n");
  if (format === "md") {
    const lines = [columns, columns.map(() => "---"), ...cells.map((line) => line.map((cell) => printable(cell, maxCell).replaceAll("|", "\\|")))];
    return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
  }
  const table = new Table({ head: [...columns], style: { head: [], border: [], compact: true } });
  const paint: Readonly<Record<string, (text: string) => string>> = {
    running: color.cyan,
    completed: color.green,
    interrupted: color.yellow,
    stopped: color.yellow,
    failed: color.red,
    corrupt: color.red,
  };
  table.push(...cells.map((line) => line.map((cell, at) => (columns[at] === "status" ? (paint[cell]?.(cell) ?? cell) : printable(cell, maxCell)))));
  return table.toString();
}

function shown(value: FieldValue): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(5);
  return typeof value === "string" ? value : value.join(" ");
}

function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
