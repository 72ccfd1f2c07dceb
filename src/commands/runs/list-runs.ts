import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { nearestName } from "../../config/nearest-name.js";
import { BhBridgeError } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { chooseRuns, isTagged, listedRun } from "../../runner/choose-runs.js";
import { fieldOf, requireField } from "../../runner/run-fields.js";
import { resolveRun } from "../../runs/resolve-run.js";
import { runsFolder } from "../../runs/run-layout.js";
import { scanRuns } from "../../runs/scan-runs.js";
import type { Terminal } from "../terminal/terminal.js";
import { defaultColumns, formatRuns, type ListFormat } from "./format-runs.js";
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

const baselineTag = "baseline";

/** A folder that is named and missing is a mistake; the default one is made by the first training. */
function noFolder(out: string): BhBridgeError {
  const parent = dirname(resolve(out));
  const folders = existsSync(parent) ? readdirSync(parent, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])) : [];
  const near = nearestName(basename(out), folders);
  const hint = near === undefined ? "Name a folder that holds runs" : `Did you mean ${join(dirname(out), near)}?`;
  return new BhBridgeError("USAGE", `--out ${out}: there is no such folder. ${hint}`);
}

/** List the runs in a folder that meet all conditions, pinned ones first. */
export async function listRuns({ out, where, sort, columns, format, baseline: wanted }: ListOptions, terminal: Terminal): Promise<void> {
  if (out !== runsFolder && !existsSync(out)) throw noFolder(out);
  const runs = await Promise.all((await scanRuns(out, lockHolders)).map(listedRun));
  const shownColumns = columns?.split(",").map((column) => column.trim()) ?? defaultColumns;
  for (const field of shownColumns) requireField(field, runs);
  const chosen = chooseRuns(runs, { where, sort });
  const baseline = wanted === undefined ? runs.findLast((run) => isTagged(run, baselineTag)) : await listedRun(await resolveRun(wanted, out, lockHolders));
  const document: RunsDocument = { schema: "bh-bridge/runs@1", baseline: baseline?.row.run ?? null, runs: chosen.map(({ row }) => row) };
  terminal.document(document);
  if (format === "table" && chosen.length === 0)
    terminal.say(`no run in ${out}${where.some((text) => text.trim() !== "") ? " meets these conditions" : ""}. Start one with: bh-bridge train`);
  else terminal.print(formatRuns(chosen, { columns: shownColumns, format, baseline, width: terminal.width }, terminal.color));
  if (baseline && format === "table") terminal.say(`Differences are to the baseline ${fieldOf(baseline, "run")}`);
}
