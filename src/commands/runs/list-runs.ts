import { lockHolders } from "../../python/lock-holders.js";
import { runRow } from "../../runner/run-row.js";
import { resolveRun } from "../../runs/resolve-run.js";
import { readRunConfig } from "../../runs/run-config.js";
import { type FoundRun, scanRuns } from "../../runs/scan-runs.js";
import type { Terminal } from "../terminal/terminal.js";
import { defaultColumns, formatRuns, type ListFormat } from "./format-runs.js";
import { fieldOf, type ListedRun, requireField } from "./run-fields.js";
import { compareFields, meets, parseRunFilters } from "./run-filter.js";
import type { RunsDocument } from "./runs-document.js";

/** Which runs are listed, and how. */
interface ListOptions {
  out: string;
  where: readonly string[];
  sort: string;
  columns: string | undefined;
  format: ListFormat;
  /** A run as `resolveRun` takes it; the newest one tagged `baseline` when left out. */
  baseline: string | undefined;
}

/** Runs with this tag come first. */
const pinTag = "pin";
const baselineTag = "baseline";

/** List the runs in a folder that meet all conditions, pinned ones first. */
export async function listRuns({ out, where, sort, columns, format, baseline: wanted }: ListOptions, terminal: Terminal): Promise<void> {
  const filters = parseRunFilters(where);
  const runs = await Promise.all((await scanRuns(out, lockHolders)).map(listedRun));
  const shownColumns = columns?.split(",").map((column) => column.trim()) ?? defaultColumns;
  const [order, key] = sort.startsWith("-") ? (["falling", sort.slice(1)] as const) : (["rising", sort] as const);
  for (const field of [...filters.map((filter) => filter.field), key, ...shownColumns]) requireField(field, runs);
  const chosen = runs
    .filter((run) => filters.every((filter) => meets(fieldOf(run, filter.field), filter)))
    .sort((left, right) => compareFields(fieldOf(left, key), fieldOf(right, key), order))
    .sort((left, right) => Number(isTagged(right, pinTag)) - Number(isTagged(left, pinTag)));
  const baseline = wanted === undefined ? runs.findLast((run) => isTagged(run, baselineTag)) : await listedRun(await resolveRun(wanted, out, lockHolders));
  const document: RunsDocument = { schema: "bh-bridge/runs@1", baseline: baseline?.row.run ?? null, runs: chosen.map(({ row }) => row) };
  terminal.document(document);
  if (format === "table" && chosen.length === 0)
    terminal.say(`no run in ${out}${filters.length > 0 ? " meets these conditions" : ""}. Start one with: bh-bridge train`);
  else terminal.print(formatRuns(chosen, { columns: shownColumns, format, baseline, width: terminal.width }, terminal.color));
  if (baseline && format === "table") terminal.say(`Differences are to the baseline ${fieldOf(baseline, "run")}`);
}

function isTagged({ row }: ListedRun, tag: string): boolean {
  return row.tags.includes(tag);
}

async function listedRun(found: FoundRun): Promise<ListedRun> {
  const row = await runRow(found);
  return { row, config: row.status === "corrupt" ? undefined : readRunConfig(found.directory) };
}
