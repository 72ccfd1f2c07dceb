import { readRunConfig } from "../runs/run-config.js";
import type { FoundRun } from "../runs/scan-runs.js";
import { fieldOf, type ListedRun, requireField } from "./run-fields.js";
import { compareFields, meets, parseRunFilters } from "./run-filter.js";
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
  return runs
    .filter((run) => filters.every((filter) => meets(fieldOf(run, filter.field), filter)))
    .sort((left, right) => compareFields(fieldOf(left, key), fieldOf(right, key), order))
    .sort((left, right) => Number(isTagged(right, pinTag)) - Number(isTagged(left, pinTag)));
}

/** Whether a run has a tag. */
export function isTagged({ row }: ListedRun, tag: string): boolean {
  return row.tags.includes(tag);
}
