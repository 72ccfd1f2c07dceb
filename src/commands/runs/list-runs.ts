import { lockHolders } from "../../bridge/lock-holders.js";
import { runRow } from "../../experiment/run-row.js";
import { readRunConfig } from "../../runs/run-config.js";
import { type FoundRun, scanRuns } from "../../runs/scan-runs.js";
import type { Terminal } from "../terminal.js";
import { defaultColumns, formatRuns, type ListFormat } from "./format-runs.js";
import { fieldOf, type ListedRun, requireField } from "./run-fields.js";
import { compareFields, meets, parseRunFilters } from "./run-filter.js";
import type { RunsDocument } from "./runs-document.js";

/** Which runs are listed, and how. */
export interface ListOptions {
  out: string;
  where: readonly string[];
  sort: string;
  columns: string | undefined;
  format: ListFormat;
}

/** List the runs in a folder that meet all conditions. */
export async function listRuns({ out, where, sort, columns, format }: ListOptions, terminal: Terminal): Promise<void> {
  const filters = parseRunFilters(where);
  const runs = await Promise.all((await scanRuns(out, lockHolders)).map(listedRun));
  const shownColumns = columns?.split(",").map((column) => column.trim()) ?? defaultColumns;
  const [order, key] = sort.startsWith("-") ? [-1, sort.slice(1)] : [1, sort];
  for (const field of [...filters.map((filter) => filter.field), key, ...shownColumns]) requireField(field, runs);
  const chosen = runs
    .filter((run) => filters.every((filter) => meets(fieldOf(run, filter.field), filter)))
    .sort((left, right) => order * compareFields(fieldOf(left, key), fieldOf(right, key)));
  const document: RunsDocument = { schema: "bh-bridge/runs@1", runs: chosen.map(({ row }) => row) };
  terminal.document(document);
  if (format === "table" && chosen.length === 0)
    terminal.say(`no run in ${out}${filters.length > 0 ? " meets these conditions" : ""}. Start one with: bh-bridge train`);
  else terminal.print(formatRuns(chosen, shownColumns, format, terminal.color));
}

async function listedRun(found: FoundRun): Promise<ListedRun> {
  const row = await runRow(found);
  return { row, config: row.status === "corrupt" ? undefined : readRunConfig(found.directory) };
}
