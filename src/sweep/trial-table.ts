import { type BasicType, parquetWriteBuffer } from "hyparquet-writer";
import { isPlainObject, valueAt } from "../config/json-value.js";
import { assignmentLayer } from "../config/layers.js";
import { presentPath } from "../config/old-engine-fields.js";
import { codePaths, withReadCode } from "../config/own-code.js";
import { type ResolvedConfig, storedBase } from "../config/resolve-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { csvField } from "../text/escaping.js";
import { readPlan } from "./plan/plan-directory.js";
import { laidOver } from "./plan/plan-trials.js";
import type { TrialResult } from "./pool/trial-task.js";
import type { SweepTrial } from "./sweep-document.js";

/** The value of a field in a trial's complete configuration; undefined if it has none. */
export type SettingOf = (set: SweepTrial["set"], path: string) => unknown;

/**
 * The fields that trials inherit from the base of a sweep or experiment. Unknown for trials with their own weights (`model.from`), which depend on a file.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`; the returned function `CONFIG_INVALID`, for a base that this version refuses.
 */
export function planSettings(directory: string): SettingOf {
  const { preset, base: stored, code = [] } = readPlan(directory);
  const storedCode = new Map(code.map((each) => [each.path, each]));
  let base: ResolvedConfig | undefined;
  const known = new Map<string, RunConfig>(); // trials that differ only in their seed share one
  return (set, path) => {
    if (Object.hasOwn(set, "model.from")) return undefined;
    const { seed: _, ...values } = set;
    const key = JSON.stringify(values);
    base ??= storedBase(stored, preset);
    const layer = assignmentLayer(Object.entries(withReadCode(values, storedCode)).map(([at, value]) => ({ path: at, value, source: "plan.json" })));
    const config = known.get(key) ?? laidOver(base, layer);
    known.set(key, config);
    const value = valueAt(presentPath(path).split("."), config);
    return codePaths.includes(path) && isPlainObject(value) ? value["path"] : value; // as trials set it
  };
}

type Cell = number | string | boolean | null;

/** pandas and DuckDB read the word `null` in a CSV as a missing value. */
const verdictWords: Readonly<Record<TrialResult["verdict"]["result"], string>> = { positive: "positive", null: "null result", degenerate: "degenerate" };

/** Type of a column: `whole` has numbers without a fraction, `text` has mixed types. */
export type ColumnKind = "text" | "truth" | "whole" | "real";

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
 * A row per trial, in plan order: identity, arm, status, every field that some trial sets, the final numbers, the run, and the reason of its end.
 * @param settingOf the value of a field that the trial does not set.
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

const types: Readonly<Record<ColumnKind, BasicType>> = { text: "STRING", truth: "BOOLEAN", whole: "INT64", real: "DOUBLE" };

/** A table as a Parquet file with typed columns; missing values are null. */
export function parquetOfTrials({ head, kinds, rows }: TrialTable): Uint8Array {
  const columnData = head.map((name, column) => {
    const kind = kinds[column] ?? "text";
    return { name, type: types[kind], data: rows.map((row) => stored(row[column] ?? null, kind)) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function stored(cell: string | number | boolean | null, kind: ColumnKind): string | number | boolean | bigint | null {
  if (cell === null) return null;
  if (kind === "whole") return BigInt(cell);
  return kind === "text" ? String(cell) : cell;
}

/** Maximum identities named in a message. */
const maxShown = 10;

/** The trial with this identity or unique prefix. @throws {BhBridgeError} `USAGE` naming the candidates. */
export function findTrial(trials: readonly SweepTrial[], given: string): SweepTrial {
  const found = trials.filter(({ trial }) => trial.startsWith(given));
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const there = (only ? found : trials).map(({ trial }) => trial);
  const listed = there.length > maxShown ? `${there.slice(0, maxShown).join(", ")}, …` : there.join(", ") || "none";
  throw new BhBridgeError("USAGE", only ? `"${given}" matches several trials: ${listed}` : `there is no trial "${given}"; there are ${listed}`);
}
