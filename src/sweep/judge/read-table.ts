import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { nearestName, shownValue } from "../../config/config-invalid.js";
import { isPlainObject } from "../../config/json-value.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { count } from "../../text/format.js";

/** A row of a table, with its position as an editor shows it: `line 3` of a text, `row 3` of other formats. */
export interface TableRow {
  readonly at: string;
  readonly cells: Readonly<Record<string, unknown>>;
}

export interface Table {
  /** Path of the file; `-` for standard input. */
  readonly source: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** Columns that are measures only if they are named. */
  readonly asides?: readonly string[];
}

/** One error for all problems of a table. */
export function tableInvalid(source: string, issues: readonly ConfigIssue[], cause?: unknown): BhBridgeError {
  const name = source === "-" ? "standard input" : source;
  const title = `${name} cannot be judged${issues.length === 1 ? "" : `: ${count(issues.length, "problem")}`}:`;
  const lines = issues.map(({ path, message }) => `  ${path}: ${message}`);
  return new BhBridgeError("CONFIG_INVALID", [title, ...lines].join("\n"), { issues: [...issues], ...(cause !== undefined && { cause }) });
}

/** A table of rows that a program holds. */
export function tableOfRows(rows: readonly Readonly<Record<string, unknown>>[], source: string, at = (index: number) => `row ${index + 1}`): Table {
  const flat = rows.map(flattened);
  return { source, columns: [...new Set(flat.flatMap((row) => Object.keys(row)))], rows: flat.map((cells, index) => ({ at: at(index), cells })) };
}

/** Fields of nested objects by dotted path. */
function flattened(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fieldsBelow = (part: Readonly<Record<string, unknown>>, prefix: string): [string, unknown][] =>
    Object.entries(part).flatMap(([name, field]) => (isPlainObject(field) ? fieldsBelow(field, `${prefix}${name}.`) : [[`${prefix}${name}`, field]]));
  return Object.fromEntries(fieldsBelow(value, ""));
}

/**
 * Read a table from a file, or from standard input if the path is `-`. The content decides the format: Parquet, JSON, JSON lines, else text with columns that
 * are separated by commas, tabs or semicolons. Each may be compressed with gzip.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `FILE_NOT_FOUND`, `FILE_UNREADABLE`.
 */
export async function readTable(path: string): Promise<Table> {
  const packed = path === "-" ? await buffer(process.stdin) : readBytes(path);
  const bytes = packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed) : packed;
  if (bytes.subarray(0, 4).toString("latin1") === "PAR1") return await readParquetTable(path, bytes);
  const text = decoded(path, bytes);
  const first = text.trimStart()[0];
  if (first === "[" || first === "{") return tableOfJson(path, text);
  return tableOfText(path, text);
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new BhBridgeError("FILE_NOT_FOUND", `${path}: there is no such file. Name a table, a folder of logs, or - for standard input`);
    throw new BhBridgeError("FILE_UNREADABLE", `${path} cannot be read: ${message}`, { cause });
  }
}

function decoded(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const message = "is not UTF-8 text, JSON or Parquet. Save the table as CSV in UTF-8";
    throw tableInvalid(path, [{ path: "(the whole file)", message }], cause);
  }
}

async function readParquetTable(path: string, bytes: Buffer): Promise<Table> {
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([import("hyparquet"), import("hyparquet-compressors")]);
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return tableOfRows(await parquetReadObjects({ file, compressors }), path);
  } catch (cause) {
    throw tableInvalid(path, [{ path: "(the whole file)", message: `is damaged, or not a Parquet file: ${(cause as Error).message}` }], cause);
  }
}

/** A list of rows, an object of columns, or one object per line. */
function tableOfJson(path: string, text: string): Table {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (text.trimStart().startsWith("[")) throw tableInvalid(path, [{ path: "(the whole file)", message: `is not JSON: ${(cause as Error).message}` }], cause);
    return tableOfJsonLines(path, text);
  }
  if (isPlainObject(value)) {
    const columns = Object.entries(value).flatMap(([name, cells]) => (Array.isArray(cells) ? [[name, cells as unknown[]] as const] : []));
    const [nested] = columns;
    if (nested && columns.length === 1 && nested[1].every(isPlainObject)) return tableOfRows(nested[1] as Record<string, unknown>[], path);
    if (columns.length < 2) return tableOfRows([value], path);
    const length = Math.max(...columns.map(([, cells]) => cells.length));
    return tableOfRows(
      Array.from({ length }, (_, row) => Object.fromEntries(columns.map(([name, cells]) => [name, cells[row]]))),
      path,
    );
  }
  if (!Array.isArray(value) || !value.every(isPlainObject)) {
    throw tableInvalid(path, [{ path: "(the whole file)", message: 'expected a list of rows such as [{"arm": "base", "seed": 1, "loss": 3.2}]' }]);
  }
  return tableOfRows(value, path);
}

function tableOfJsonLines(path: string, text: string): Table {
  const issues: ConfigIssue[] = [];
  const rows: { at: string; value: Record<string, unknown> }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = `line ${index + 1}`;
    try {
      const value: unknown = JSON.parse(line);
      if (isPlainObject(value)) rows.push({ at, value });
      else issues.push({ path: at, message: "is not an object of columns and values" });
    } catch (cause) {
      issues.push({ path: at, message: `is not JSON: ${(cause as Error).message}` });
    }
  }
  if (issues.length > 0) throw tableInvalid(path, issues);
  return tableOfRows(
    rows.map(({ value }) => value),
    path,
    (index) => rows[index]?.at ?? "",
  );
}

function tableOfText(path: string, text: string): Table {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const separators = path.replace(/\.gz$/, "").endsWith(".tsv") ? ["\t"] : ["\t", ";", ","];
  const separator = separators.toSorted((one, other) => head.split(other).length - head.split(one).length)[0] ?? ",";
  const [first, ...records] = fieldsOf(path, text, separator).filter(({ fields }) => fields.length > 1 || fields[0] !== "");
  if (first === undefined) throw tableInvalid(path, [{ path: "(the whole file)", message: "is empty. The first line must name the columns: arm,seed,loss" }]);
  const columns = first.fields.map((name) => name.trim());
  const issues: ConfigIssue[] = columns.flatMap((name, index) => {
    if (columns.indexOf(name) < index) return [{ path: `line ${first.line}`, message: `names the column ${JSON.stringify(name)} twice. Rename one` }];
    return [];
  });
  for (const { line, fields } of records) {
    if (fields.length === columns.length) continue;
    issues.push({
      path: `line ${line}`,
      message: `has ${count(fields.length, "field")}, the first line has ${columns.length}. Quote fields that contain separators`,
    });
  }
  if (issues.length > 0) throw tableInvalid(path, issues);
  const rows = records.map(({ line, fields }) => ({
    at: `line ${line}`,
    cells: Object.fromEntries(columns.map((name, index) => [name, fields[index]?.trim()])),
  }));
  return { source: path, columns: columns.filter((name, index) => name !== "" || rows.some(({ cells }) => cells[columns[index] ?? ""] !== "")), rows };
}

/** The fields of every record with the line where it starts (RFC 4180). */
function fieldsOf(path: string, text: string, separator: string): { line: number; fields: string[] }[] {
  const records: { line: number; fields: string[] }[] = [];
  const token = new RegExp(`(?:"((?:[^"]|"")*)"|([^${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`, "gy");
  let line = 1;
  let record = { line, fields: [] as string[] };
  for (;;) {
    const found = token.exec(text);
    if (found === null) {
      throw tableInvalid(path, [{ path: `line ${line}`, message: "has a quote that is not closed, or text after one. Double a quote inside quotes" }]);
    }
    const [whole, quoted, plain = "", end] = found;
    record.fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (end === separator) continue;
    records.push(record);
    if (end === "" || token.lastIndex >= text.length) return records;
    record = { line, fields: [] };
  }
}

/** Where a table has arms, seeds and measures. */
export interface ArmColumns {
  /** Name of the control; an experiment of this package has its own. */
  readonly control?: string | undefined;
  /** Column of the arms (default: `arm`), or one column per arm. */
  readonly arm?: string | readonly string[] | undefined;
  /** Column of the seeds, or of whatever pairs the rows of two arms (default: `seed`). */
  readonly seed?: string | undefined;
  /** Columns to read (default: all columns of numbers). */
  readonly measures?: readonly string[] | undefined;
}

/** A row of one arm. */
export interface ArmRow {
  readonly at: string;
  readonly arm: string;
  /** Undefined without a column of seeds. */
  readonly seed: string | undefined;
  readonly cells: Readonly<Record<string, unknown>>;
}

interface Arms {
  readonly rows: readonly ArmRow[];
  /** Columns that can hold measures. */
  readonly columns: readonly string[];
  readonly hasSeeds: boolean;
}

/** The rows by arm: of a column of arms, or of one column per arm. */
export function armsOf({ columns, rows }: Table, { arm, seed, control, measures }: ArmColumns, issues: ConfigIssue[]): Arms {
  const seedColumn = seed ?? columns.find((name) => name === "seed");
  const isWide = Array.isArray(arm) || (arm === undefined && !columns.includes("arm") && control !== undefined && columns.includes(control));
  const armColumns = isWide
    ? Array.isArray(arm)
      ? (arm as readonly string[])
      : columns.filter((name) => name !== seedColumn)
    : [(arm as string | undefined) ?? "arm"];
  const missing = [...armColumns, ...(seed === undefined ? [] : [seed])].filter((name) => !columns.includes(name));
  for (const name of missing) {
    const option = name === seed ? "--seed" : "--arm";
    const near = nearestName(name, columns);
    const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
    issues.push({ path: name, message: `there is no such column: ${meant}the columns are ${columns.join(", ")}. Name one with ${option}` });
  }
  if (missing.length > 0) return { rows: [], columns: [], hasSeeds: false };
  const hasSeeds = seedColumn !== undefined;
  const seedOf = (cells: Readonly<Record<string, unknown>>) => (seedColumn === undefined ? undefined : labelOf(cells[seedColumn]));
  for (const { at, cells } of rows) {
    if (seedOf(cells) === "") issues.push({ path: at, message: `has no ${seedColumn}. Name the seed of every row` });
    if (!isWide && labelOf(cells[armColumns[0] ?? ""]) === "") issues.push({ path: at, message: `has no ${armColumns[0]}. Name the arm of every row` });
  }
  if (isWide) {
    const measure = measures?.[0] ?? "value";
    const isNumeric = (column: string) => rows.some(({ cells }) => typeof numberOf(cells[column]) === "number");
    const used = Array.isArray(arm) ? armColumns : armColumns.filter(isNumeric);
    const long = rows.flatMap(({ at, cells }) =>
      used.map((column) => ({ at: `${at}, ${column}`, arm: column, seed: seedOf(cells), cells: { [measure]: cells[column] } })),
    );
    return { rows: long, columns: [measure], hasSeeds };
  }
  const [armColumn = ""] = armColumns;
  const long = rows.map(({ at, cells }) => ({ at, arm: labelOf(cells[armColumn]), seed: seedOf(cells), cells }));
  return { rows: long, columns: columns.filter((name) => name !== armColumn && name !== seedColumn), hasSeeds };
}

/** A name in a cell. `42`, `"42"` and `42.0` are one seed. */
function labelOf(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  const text = (typeof cell === "object" ? JSON.stringify(cell) : String(cell as string | number)).trim();
  return text !== "" && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}

const missingWords = ["", "nan", "na", "n/a", "null", "none", "-", "–", "inf", "-inf", "+inf", "infinity", "-infinity"];

/** The number in a cell: null if it is missing or not finite, undefined if the cell has text. */
export function numberOf(cell: unknown): number | null | undefined {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return Number(cell);
  if (typeof cell === "number" || typeof cell === "bigint") return Number.isFinite(Number(cell)) ? Number(cell) : null;
  if (typeof cell !== "string") return undefined;
  const text = cell.trim().toLowerCase();
  if (missingWords.includes(text)) return null;
  if (text === "true" || text === "false") return Number(text === "true");
  const value = Number(text);
  return Number.isNaN(value) ? undefined : Number.isFinite(value) ? value : null;
}

/** Seeds in ascending order if all are numbers, else in that of the table. */
export function ordered(labels: readonly string[]): string[] {
  return labels.every((label) => Number.isFinite(Number(label))) ? labels.toSorted((one, other) => Number(one) - Number(other)) : [...labels];
}

/** Several rows of one arm and seed are one run, measured several times. */
export function repeatedSeeds(rows: readonly ArmRow[]): ConfigIssue[] {
  const first = new Map<string, string>();
  return rows.flatMap(({ arm, seed, at }) => {
    if (seed === undefined || seed === "") return [];
    const key = JSON.stringify([arm, seed]);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, at);
    return earlier === undefined
      ? []
      : [{ path: at, message: `repeats seed ${seed} of arm ${arm}, as in ${earlier}: two rows of one seed are one run. Keep one, or give their mean` }];
  });
}

export function unequalSeeds(rows: readonly ArmRow[], control: string, treatments: readonly string[]): ConfigIssue[] {
  const seedsOf = (arm: string) => [...new Set(rows.flatMap((row) => (row.arm === arm && row.seed !== undefined ? [row.seed] : [])))];
  const lacks = (arm: string, other: string) => {
    const own = seedsOf(arm);
    const missing = seedsOf(other).filter((seed) => !own.includes(seed));
    if (missing.length === 0) return [];
    const message = `lacks ${missing.length === 1 ? "seed" : "seeds"} ${missing.join(", ")}, which ${other} has. Add the rows, remove those of ${other}, or judge without pairs (--unpaired)`;
    return [{ path: `arm ${arm}`, message }];
  };
  return treatments.flatMap((arm) => [...lacks(arm, control), ...lacks(control, arm)]);
}

export function textCells(column: string, rows: readonly ArmRow[], numbers: ReadonlyMap<string, readonly (number | null | undefined)[]>): ConfigIssue[] {
  return rows.flatMap(({ at, cells }, index) => {
    if (numbers.get(column)?.[index] !== undefined) return [];
    return [
      { path: at, message: `${column} is ${shownValue(cells[column])}, expected a number. Correct it, or name the measures without ${column} (--measure)` },
    ];
  });
}
