import { acceptedLiterals } from "../config/accepted-values.js";
import { fieldAt } from "../config/field-catalog.js";
import { nearestName } from "../config/nearest-name.js";
import { presetNames } from "../config/presets.js";
import { BhBridgeError } from "../errors.js";
import { readRunConfig } from "../runs/run-config.js";
import type { FoundRun } from "../runs/scan-runs.js";
import { fieldOf, type ListedRun, requireField } from "./run-fields.js";
import { compareFields, meets, parseRunFilters, type RunFilter } from "./run-filter.js";
import { runRow } from "./run-row.js";

/** Runs with this tag come first. */
const pinTag = "pin";

/** What is asked of a list of runs, in the words of `runs --where` and `--sort`. */
export interface RunChoice {
  where: readonly string[];
  /** A field; `-field` is largest first. */
  sort: string;
}

/** A run with its configuration, as lists know it. */
export async function listedRun(found: FoundRun): Promise<ListedRun> {
  const row = await runRow(found);
  return { row, config: row.status === "corrupt" ? undefined : readRunConfig(found.directory) };
}

/**
 * The runs that meet all conditions, in the order asked for, pinned ones first.
 *
 * @throws {BhBridgeError} `USAGE` for what is no condition, and for a field that no run has.
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

/** A value that no run can have is a typing mistake, not a condition that no run meets. @throws {BhBridgeError} `USAGE` naming the nearest. */
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

/** The texts that a field of the configuration accepts, where it accepts no others. */
function literalsOf(field: string): string[] {
  const node = fieldAt(field.split("."), {});
  return node ? acceptedLiterals(node) : [];
}

/** Whether a run has a tag. */
export function isTagged({ row }: ListedRun, tag: string): boolean {
  return row.tags.includes(tag);
}
