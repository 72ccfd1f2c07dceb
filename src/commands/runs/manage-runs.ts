import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { nearestName } from "../../config/config-invalid.js";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { chooseRuns, isTagged, listedRun } from "../../runner/choose-runs.js";
import { fieldOf, requireField } from "../../runner/run-row.js";
import { planRemoval, type Removal, removeRun } from "../../runs/remove-run.js";
import { runsFolder } from "../../runs/run-layout.js";
import { directoryOfRun, resolveRun, scanRuns } from "../../runs/scan-runs.js";
import { type UncoveredFile, verifyRun } from "../../runs/verify-run.js";
import { printable } from "../../text/escaping.js";
import type { Terminal } from "../terminal/terminal.js";
import { defaultColumns, formatRuns, type ListFormat, type RunsDocument, type RunsRemovedDocument, type VerifyDocument } from "./format-runs.js";

/**
 * Remove runs, after all of them have been understood and somebody has agreed.
 *
 * @param agreed whether the caller has said so; else a person at the terminal is asked.
 * @throws {BhBridgeError} as `resolveRun` and `planRemoval`; `USAGE` where nobody has agreed and nobody can be asked; `ABORTED` by a no.
 */
export async function removeRuns(runs: readonly string[], out: string, agreed: boolean, terminal: Terminal): Promise<void> {
  const removals = new Map<string, Removal>();
  for (const run of runs) {
    const directory = await directoryOfRun(run, out);
    removals.set(directory, await planRemoval(directory, lockHolders));
  }
  const doomed = [...removals.values()];
  if (!agreed) await demandConsent(doomed, terminal);
  for (const removal of doomed) await removeRun(removal, lockHolders);
  const document: RunsRemovedDocument = { schema: "bh-bridge/runs-removed@1", removed: doomed.map(({ path }) => path) };
  terminal.document(document);
  terminal.print(doomed.map((removal) => `removed ${described(removal)}`).join("\n"));
}

async function demandConsent(doomed: readonly Removal[], terminal: Terminal): Promise<void> {
  const list = doomed.map(described);
  if (!terminal.canAsk) throw new BhBridgeError("USAGE", `a removed run is gone for good: give --yes as well to remove ${list.join(", ")}`);
  terminal.say(list.join("\n"));
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Remove for good?", initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new BhBridgeError("ABORTED", "nothing was removed");
}

function described({ path, leadsTo }: Removal): string {
  return leadsTo === undefined ? path : `${path} (a symbolic link: only the link goes, and the run ${leadsTo} stays)`;
}

/** Check a run, and show what is wrong, and what no checksum covers. */
export async function showVerification(directory: string, terminal: Terminal): Promise<void> {
  const { problems, uncovered } = await verifyRun(directory);
  const document: VerifyDocument = { schema: "bh-bridge/verify@1", run: directory, ok: problems.length === 0, problems, uncovered };
  terminal.document(document);
  const found = problems.length === 0 ? [`${directory}: every checksum holds`] : problems.map((problem) => problem.replaceAll("\n", "\n  "));
  terminal.print([...found, ...uncoveredLines(uncovered)].join("\n"));
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}

/** One line for each reason, with its files. */
function uncoveredLines(uncovered: readonly UncoveredFile[]): string[] {
  const reasons = [...new Set(uncovered.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const files = uncovered.filter((each) => each.reason === reason).map(({ file }) => printable(file));
    return `Not covered: ${files.join(", ")} (${reason})`;
  });
}

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
