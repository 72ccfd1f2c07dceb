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
 * Remove runs once all of them can be removed and the user has agreed.
 * @param agreed whether the user has agreed already; otherwise a person at the terminal is asked.
 * @throws {BhBridgeError} as `resolveRun` and `planRemoval`; `USAGE` if nobody has agreed and nobody can be asked; `ABORTED` by a no.
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
  terminal.document({ schema: "bh-bridge/runs-removed@1", removed: doomed.map(({ path }) => path) } satisfies RunsRemovedDocument);
  terminal.print(doomed.map((removal) => `removed ${described(removal)}`).join("\n"));
}

async function demandConsent(doomed: readonly Removal[], terminal: Terminal): Promise<void> {
  const list = doomed.map(described);
  if (!terminal.canAsk) throw new BhBridgeError("USAGE", `removal cannot be undone: add --yes to remove ${list.join(", ")}`);
  terminal.say(list.join("\n"));
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Remove permanently?", initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) throw new BhBridgeError("ABORTED", "nothing was removed");
}

function described({ path, leadsTo }: Removal): string {
  return leadsTo === undefined ? path : `${path} (a symbolic link: only the link is removed, not the run ${leadsTo})`;
}

export async function showVerification(directory: string, terminal: Terminal): Promise<void> {
  const { problems, uncovered } = await verifyRun(directory);
  terminal.document({ schema: "bh-bridge/verify@1", run: directory, ok: problems.length === 0, problems, uncovered } satisfies VerifyDocument);
  const found = problems.length === 0 ? [`${directory}: all checksums match`] : problems.map((problem) => problem.replaceAll("\n", "\n  "));
  terminal.print([...found, ...uncoveredLines(uncovered)].join("\n"));
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}

function uncoveredLines(uncovered: readonly UncoveredFile[]): string[] {
  const reasons = [...new Set(uncovered.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const files = uncovered.filter((each) => each.reason === reason).map(({ file }) => printable(file));
    return `Not covered: ${files.join(", ")} (${reason})`;
  });
}

interface ListOptions {
  out: string;
  where: readonly string[];
  sort: string;
  columns: string | undefined;
  format: ListFormat;
  /** A run as for `resolveRun` (default: the newest one tagged `baseline`). */
  baseline: string | undefined;
}

/** The error for a missing folder that the user named. The default folder is created by the first training. */
function noFolder(out: string): BhBridgeError {
  const parent = dirname(resolve(out));
  const folders = existsSync(parent) ? readdirSync(parent, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])) : [];
  const near = nearestName(basename(out), folders);
  const hint = near === undefined ? "Name a folder that holds runs" : `Did you mean ${join(dirname(out), near)}?`;
  return new BhBridgeError("USAGE", `--out ${out}: there is no such folder. ${hint}`);
}

/** List the runs that meet all conditions, pinned ones first. */
export async function listRuns({ out, where, sort, columns, format, baseline: wanted }: ListOptions, terminal: Terminal): Promise<void> {
  if (out !== runsFolder && !existsSync(out)) throw noFolder(out);
  const runs = await Promise.all((await scanRuns(out, lockHolders)).map(listedRun));
  const shownColumns = columns?.split(",").map((column) => column.trim()) ?? defaultColumns;
  for (const field of shownColumns) requireField(field, runs);
  const chosen = chooseRuns(runs, { where, sort });
  const baseline = wanted === undefined ? runs.findLast((run) => isTagged(run, "baseline")) : await listedRun(await resolveRun(wanted, out, lockHolders));
  const document: RunsDocument = { schema: "bh-bridge/runs@1", baseline: baseline?.row.run ?? null, runs: chosen.map(({ row }) => row) };
  terminal.document(document);
  if (format === "table" && chosen.length === 0) {
    const meets = where.some((text) => text.trim() !== "") ? " meets these conditions" : "";
    terminal.say(`no run in ${out}${meets}. Start one with: bh-bridge train`);
  } else terminal.print(formatRuns(chosen, { columns: shownColumns, format, baseline, width: terminal.width }, terminal.color));
  if (baseline && format === "table") terminal.say(`Differences in parentheses are relative to the baseline ${fieldOf(baseline, "run")}`);
}
