import { acceptedLiterals, nearestName } from "../config/config-invalid.js";
import { fieldAt } from "../config/json-schema.js";
import { presetNames } from "../config/presets.js";
import { BhBridgeError } from "../errors.js";
import { readRunConfig } from "../runs/run-config.js";
import { type FoundRun, runStatuses } from "../runs/scan-runs.js";
import { type FieldValue, fieldOf, type ListedRun, requireField, runRow } from "./run-row.js";

const operators = [">=", "<=", "!=", "=", ":", ">", "<", "~"] as const;
type Operator = (typeof operators)[number];

/** One condition on a field. */
interface RunFilter {
  field: string;
  operator: Operator;
  value: string;
}

/** Synonyms of a status. */
const statusWords: Readonly<Record<string, string>> = {
  done: "completed",
  dead: "interrupted",
  killed: "interrupted",
  crashed: "interrupted",
  error: "failed",
};

/**
 * Parse conditions such as `status:done seed>=42 training.learning_rate>1e-4 name~snow tags:baseline`. `:` and `=` mean equality (for a list, membership), `~`
 * means "contains"; the others compare numbers as numbers, and dates and texts as texts.
 * @throws {BhBridgeError} `USAGE` naming the invalid part.
 */
export function parseRunFilters(texts: readonly string[]): RunFilter[] {
  return texts
    .flatMap((text) => text.trim().split(/\s+/))
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^([\w.]+)(>=|<=|!=|=|:|>|<|~)(.*)$/.exec(part);
      const [, field = "", operator, value = ""] = match ?? [];
      if (!isOperator(operator)) {
        const remedy = `write a field, one of ${operators.join(" ")} and a value, for example status:completed or seed>=42`;
        throw new BhBridgeError("USAGE", `"${part}" is not a condition: ${remedy}`);
      }
      return { field, operator, value: field === "status" ? statusOf(value, operator) : value };
    });
}

/** Resolve a synonym of a status. `~` accepts any text. */
function statusOf(value: string, operator: Operator): string {
  const known = statusWords[value] ?? value;
  if (operator === "~" || (runStatuses as readonly string[]).includes(known)) return known;
  const near = nearestName(value, [...runStatuses, ...Object.keys(statusWords)]);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new BhBridgeError("USAGE", `${JSON.stringify(value)} is not a status.${hint} A run is ${runStatuses.join(", ")}`);
}

function isOperator(text: string | undefined): text is Operator {
  return (operators as readonly (string | undefined)[]).includes(text);
}

/** Whether a value meets a condition; a missing value meets only `!=`. */
export function meets(value: FieldValue, { operator, value: wanted }: RunFilter): boolean {
  if (value === null) return operator === "!=";
  if (typeof value === "object") {
    if (operator === "!=") return !value.includes(wanted);
    return operator === "~" ? value.some((each) => each.includes(wanted)) : value.includes(wanted);
  }
  if (operator === "~") return String(value).toLowerCase().includes(wanted.toLowerCase());
  const order =
    typeof value === "number" && wanted.trim() !== "" && !Number.isNaN(Number(wanted)) ? value - Number(wanted) : compareText(String(value), wanted);
  const isEqual = order === 0;
  return { ">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0, "=": isEqual, ":": isEqual, "!=": !isEqual }[operator];
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Compare two values of a field; runs without a value come last in both orders. */
export function compareFields(left: FieldValue, right: FieldValue, order: "rising" | "falling"): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  const rising = typeof left === "number" && typeof right === "number" ? left - right : compareText(String(left), String(right));
  return order === "rising" ? rising : -rising;
}

/** Runs with this tag come first. */
const pinTag = "pin";

/** Conditions and order of a list of runs, as in `runs --where` and `--sort`. */
interface RunChoice {
  where: readonly string[];
  /** A field; `-field` sorts the largest first. */
  sort: string;
}

/** A run with its configuration, for lists. */
export async function listedRun(found: FoundRun): Promise<ListedRun> {
  const row = await runRow(found);
  return { row, config: row.status === "corrupt" || row.status === "foreign" ? undefined : readRunConfig(found.directory) };
}

/**
 * The runs that meet all conditions, sorted, pinned ones first.
 * @throws {BhBridgeError} `USAGE` for an invalid condition, and for a field that no run has.
 */
export function chooseRuns<Run extends ListedRun>(runs: readonly Run[], { where, sort }: RunChoice): Run[] {
  const filters = parseRunFilters(where);
  const [order, key] = sort.startsWith("-") ? (["falling", sort.slice(1)] as const) : (["rising", sort] as const);
  for (const field of [...filters.map((filter) => filter.field), key]) requireField(field, runs);
  for (const filter of filters) requireValue(filter, runs);
  return runs
    .filter((run) => filters.every((filter) => meets(fieldOf(run, filter.field), filter)))
    .sort((left, right) => compareFields(fieldOf(left, key), fieldOf(right, key), order))
    .sort((left, right) => Number(isTagged(right, pinTag)) - Number(isTagged(left, pinTag)));
}

/** Refuse a value that no run can have, which is a typing mistake. @throws {BhBridgeError} `USAGE` naming the nearest. */
function requireValue({ field, operator, value }: RunFilter, runs: readonly ListedRun[]): void {
  const values = runs.map((run) => fieldOf(run, field)).filter((each) => each !== null);
  if (operator === "~" || values.length === 0 || values.some((each) => String(each) === value)) return;
  if (values.every((each) => typeof each === "number")) {
    if (value.trim() !== "" && !Number.isNaN(Number(value))) return;
    throw new BhBridgeError("USAGE", `${field} is a number, and ${JSON.stringify(value)} is none, for example ${field}>=${Math.min(...values.map(Number))}`);
  }
  const near = nearestName(value, field === "preset" ? presetNames : literalsOf(field));
  if (near !== undefined && near !== value)
    throw new BhBridgeError("USAGE", `${field} is never ${JSON.stringify(value)}; did you mean ${field}${operator}${near}?`);
}

/** The texts that a field of the configuration accepts, if it is an enumeration. */
function literalsOf(field: string): string[] {
  const node = fieldAt(field.split("."), {});
  return node ? acceptedLiterals(node) : [];
}

export function isTagged({ row }: ListedRun, tag: string): boolean {
  return row.tags.includes(tag);
}
