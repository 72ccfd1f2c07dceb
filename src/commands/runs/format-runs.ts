import { type FieldValue, fieldOf, type ListedRun } from "../../runner/run-fields.js";
import { csvField } from "../../text/csv-field.js";
import { markdownText } from "../../text/markdown-table.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { columnWidths, table, tableWidth, usualWidth } from "../terminal/table.js";
import type { Terminal } from "../terminal/terminal.js";

/** How a list is written. */
export const listFormats = ["table", "csv", "md"] as const;
export type ListFormat = (typeof listFormats)[number];

/** Headings of columns whose field's name alone does not say what they hold. */
const headings: Readonly<Record<string, string>> = { loss: "last loss" };

/** What is shown when nobody chooses columns. */
export const defaultColumns: readonly string[] = ["run", "status", "steps", "planned", "loss", "C", "P", "tags"];

/** Longer texts (a reason, a note) are cut in a table; csv has all of them. */
const maxCell = 60;

/** Numbers that name something and measure nothing. */
const identifiers: readonly string[] = ["seed", "pid"];

interface ListLayout {
  columns: readonly string[];
  format: ListFormat;
  /** The run that the figures of the others are compared with. */
  baseline: ListedRun | undefined;
  /** Columns of the terminal. */
  width: number | undefined;
}

/** A list of runs as a table for people, as CSV (RFC 4180) or as a Markdown table; both tables show differences to the baseline. */
export function formatRuns(runs: readonly ListedRun[], { columns, format, baseline, width }: ListLayout, color: Terminal["color"]): string {
  if (format === "csv") {
    const lines = runs.map((run) => columns.map((column) => shown(fieldOf(run, column))));
    return [columns, ...lines].map((line) => line.map(csvField).join(",")).join("\n");
  }
  const titles = columns.map((column) => (Object.hasOwn(headings, column) ? (headings[column] ?? column) : column));
  const cells = runs.map((run) =>
    columns.map((column) => (column === "status" ? statusText(run) : `${shown(fieldOf(run, column))}${difference(run, column, baseline)}`)),
  );
  if (format === "md") {
    const lines = [titles, columns.map(() => "---"), ...cells.map((line) => line.map((cell) => markdownText(printable(cell, maxCell)).replaceAll("|", "\\|")))];
    return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
  }
  const paint: Readonly<Record<string, (text: string) => string>> = {
    running: color.cyan,
    completed: color.green,
    interrupted: color.yellow,
    stopped: color.yellow,
    failed: color.red,
    corrupt: color.red,
  };
  const painted = cells.map((line) => line.map((cell, at) => (columns[at] === "status" ? (paint[cell] ?? color.red)(cell) : printable(cell, maxCell))));
  const fits = tableWidth(columnWidths(titles, painted)) <= (width ?? Number.POSITIVE_INFINITY);
  return fits ? table(titles, painted, { align: alignment(columns, runs), width: Number.POSITIVE_INFINITY }) : blocks(titles, painted, width ?? usualWidth);
}

/** Numbers to the right, as they are compared; all else to the left. */
function alignment(columns: readonly string[], runs: readonly ListedRun[]): ("left" | "right")[] {
  return columns.map((column) => (runs.some((run) => typeof fieldOf(run, column) === "number") ? "right" : "left"));
}

/** A few lines for each run, where a table would be too wide: its first column, and below it the others by name. */
function blocks(columns: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  return rows
    .map(([first, ...others]) => {
      const named = others.flatMap((cell, at) => (cell === "" ? [] : [columns[at + 1] === "status" ? cell : `${columns[at + 1]} ${cell}`]));
      return wrap(`${first}\n  ${named.join(", ")}`, width);
    })
    .join("\n");
}

/** A status as a table shows it: that a run has failed as science, though all its steps were taken, belongs beside it. */
function statusText({ row }: ListedRun): string {
  return row.finite === false ? `${row.status}, not finite` : row.status;
}

function shown(value: FieldValue): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(5);
  return typeof value === "string" ? value : value.join(" ");
}

/** How far a figure is from the baseline's, as ` (+3)`; nothing where it is the same or cannot be compared. */
function difference(run: ListedRun, column: string, baseline: ListedRun | undefined): string {
  if (!baseline || identifiers.includes(column)) return "";
  const [value, reference] = [fieldOf(run, column), fieldOf(baseline, column)];
  if (typeof value !== "number" || typeof reference !== "number" || value === reference) return "";
  const by = value - reference;
  return ` (${by > 0 ? "+" : "−"}${Number.isInteger(by) ? Math.abs(by) : Math.abs(by).toPrecision(3)})`;
}
