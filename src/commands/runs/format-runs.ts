import { z } from "zod";
import { type FieldValue, fieldOf, type ListedRun, runRowSchema } from "../../runner/run-row.js";
import { trainResultSchema } from "../../runner/train-result.js";
import { runManifestSchema, runNotesSchema } from "../../runs/run-manifest.js";
import { csvField, markdownText, printable } from "../../text/escaping.js";
import { wrap } from "../../text/wrap.js";
import { columnWidths, defaultWidth, table, tableWidth } from "../terminal/table.js";
import type { Terminal } from "../terminal/terminal.js";

export const listFormats = ["table", "csv", "md"] as const;
export type ListFormat = (typeof listFormats)[number];

/** Headings of columns with an ambiguous field name. */
const headings: Readonly<Record<string, string>> = { loss: "last loss" };

export const defaultColumns: readonly string[] = ["run", "status", "steps", "planned", "loss", "C", "P", "tags"];

/** Longer texts are cut in a table, not in csv. */
const maxCell = 60;

/** Numbers that are identifiers and have no difference. */
const identifiers: readonly string[] = ["seed", "pid"];

interface ListLayout {
  columns: readonly string[];
  format: ListFormat;
  baseline: ListedRun | undefined;
  width: number | undefined;
}

/** Format runs as a table, CSV (RFC 4180) or Markdown; both tables show differences to the baseline. */
export function formatRuns(runs: readonly ListedRun[], { columns, format, baseline, width }: ListLayout, color: Terminal["color"]): string {
  if (format === "csv") {
    const lines = runs.map((run) => columns.map((column) => shown(fieldOf(run, column))));
    return [columns, ...lines].map((line) => line.map(csvField).join(",")).join("\n");
  }
  const titles = columns.map((column) => headings[column] ?? column);
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
    foreign: color.dim,
  };
  const painted = cells.map((line) => line.map((cell, at) => (columns[at] === "status" ? (paint[cell] ?? color.red)(cell) : printable(cell, maxCell))));
  const fits = tableWidth(columnWidths(titles, painted)) <= (width ?? Number.POSITIVE_INFINITY);
  return fits ? table(titles, painted, { align: alignment(columns, runs), width: Number.POSITIVE_INFINITY }) : blocks(titles, painted, width ?? defaultWidth);
}

function alignment(columns: readonly string[], runs: readonly ListedRun[]): ("left" | "right")[] {
  return columns.map((column) => (runs.some((run) => typeof fieldOf(run, column) === "number") ? "right" : "left"));
}

/** Lines per run if a table would be too wide: its first column, and below it the others by name. */
function blocks(columns: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  return rows
    .map(([first, ...others]) => {
      const named = others.flatMap((cell, at) => (cell === "" ? [] : [columns[at + 1] === "status" ? cell : `${columns[at + 1]} ${cell}`]));
      return wrap(`${first}\n  ${named.join(", ")}`, width);
    })
    .join("\n");
}

/** The status, with a note on a run whose values are not finite. */
function statusText({ row }: ListedRun): string {
  return row.finite === false ? `${row.status}, not finite` : row.status;
}

function shown(value: FieldValue): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(5);
  return typeof value === "string" ? value : value.join(" ");
}

/** The difference to the baseline as ` (+3)`; empty if equal or not comparable. */
function difference(run: ListedRun, column: string, baseline: ListedRun | undefined): string {
  if (!baseline || identifiers.includes(column)) return "";
  const [value, reference] = [fieldOf(run, column), fieldOf(baseline, column)];
  if (typeof value !== "number" || typeof reference !== "number" || value === reference) return "";
  const by = value - reference;
  return ` (${by > 0 ? "+" : "−"}${Number.isInteger(by) ? Math.abs(by) : Math.abs(by).toPrecision(3)})`;
}

/** The document of `runs --json`. */
export const runsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/runs@1"),
  /** Path of the run that the others are compared with. */
  baseline: z.string().nullable(),
  runs: z.array(runRowSchema),
});
export type RunsDocument = z.output<typeof runsDocumentSchema>;

/** The document of `runs show --json`. */
export const runDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/run@1"),
  ...runRowSchema.shape,
  /** `run.json`; null for a corrupt run. */
  manifest: runManifestSchema.nullable(),
  config: z.record(z.string(), z.json()).nullable(),
  reproductions: runNotesSchema.shape.reproductions,
  /** Steps that the run can be resumed from. */
  checkpoints: z.array(z.int()),
  /** Result so far, once something is recorded. */
  result: trainResultSchema.nullable(),
});
export type RunDocument = z.output<typeof runDocumentSchema>;

/** Who signed a run. */
const signatureSchema = z.strictObject({
  /** The name of the key in the file of allowed signers. */
  principal: z.string(),
  /** Type of the key, such as ED25519. */
  type: z.string(),
  /** Fingerprint of the key. */
  key: z.string(),
});
export type Signature = z.output<typeof signatureSchema>;

/** The document of `runs sign --json`. */
export const signDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sign@1"),
  run: z.string(),
  signature: z.string(),
  ...signatureSchema.omit({ principal: true }).shape,
});
export type SignDocument = z.output<typeof signDocumentSchema>;

/** The document of `runs verify --json`. */
export const verifyDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/verify@1"),
  run: z.string(),
  ok: z.boolean(),
  problems: z.array(z.string()),
  /** Files without a checksum for all their bytes, where damage is not noticed. */
  uncovered: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
  /** With `--signers`: the allowed signature of the checksums, null if there is none. */
  signature: signatureSchema.nullable().optional(),
});
export type VerifyDocument = z.output<typeof verifyDocumentSchema>;

/** The document of `runs rm --json`. */
export const runsRemovedDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/runs-removed@1"), removed: z.array(z.string()) });
export type RunsRemovedDocument = z.output<typeof runsRemovedDocumentSchema>;

/** The document of `runs note --json` and `runs tag --json`. */
export const runNotesDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/run-notes@1"), run: z.string(), ...runNotesSchema.shape });
export type RunNotesDocument = z.output<typeof runNotesDocumentSchema>;
