import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { nearestName } from "../../config/config-invalid.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { chooseRuns, isTagged, listedRun } from "../../runner/choose-runs.js";
import { fieldOf, type RunRow, requireField, runRow } from "../../runner/run-row.js";
import { summarizeRun } from "../../runner/summarize-run.js";
import type { TrainResult } from "../../runner/train-result.js";
import { recordedStep } from "../../runs/history-index.js";
import { planRemoval, type Removal, removeRun } from "../../runs/remove-run.js";
import { readRunConfig } from "../../runs/run-config.js";
import { runCheckpoints, runsFolder } from "../../runs/run-layout.js";
import { type RunManifest, readRunNotes } from "../../runs/run-manifest.js";
import { directoryOfRun, type FoundRun, resolveRun, scanForeign, scanRuns } from "../../runs/scan-runs.js";
import { shellQuote } from "../../text/escaping.js";
import { count, groupDigits } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { runnable } from "../terminal/invocation.js";
import type { Terminal } from "../terminal/terminal.js";
import { printResult } from "../train/format-result.js";
import { defaultColumns, formatRuns, type ListFormat, type RunDocument, type RunsDocument, type RunsRemovedDocument } from "./format-runs.js";

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
  const runs = await Promise.all([...(await scanRuns(out, lockHolders)), ...scanForeign(out)].map(listedRun));
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
  const unread = new Set(chosen.flatMap(({ row }) => (row.status === "foreign" && row.problem !== null ? [row.problem] : [])));
  for (const problem of unread) terminal.say(problem);
  if (baseline && format === "table") terminal.say(`Differences in parentheses are relative to the baseline ${fieldOf(baseline, "run")}`);
}

const labelWidth = 15;

/** Show a run: description, status, how to resume it, and its result so far. */
export async function showRun(given: string, out: string, terminal: Terminal): Promise<void> {
  const found = await resolveRun(given, out, lockHolders);
  const { row, manifest, config, result } = await readShown(found);
  const document: RunDocument = {
    schema: "bh-bridge/run@1",
    ...row,
    manifest: manifest ?? null,
    config: config ? JSON.parse(JSON.stringify(config)) : null,
    reproductions: manifest ? readRunNotes(found.directory).reproductions : [],
    checkpoints: row.status === "corrupt" || row.status === "foreign" ? [] : runCheckpoints(found.directory).map(({ step }) => step),
    result,
  };
  terminal.document(document);
  terminal.print(wrap(describe(document, manifest).join("\n"), terminal.width, labelWidth));
  if (result && config) printResult(result, config, terminal);
  if (row.problem === null) return;
  if (row.status === "foreign") return;
  terminal.say(`${terminal.messageColor.red("RUN_CORRUPT")}: ${row.problem}`);
  process.exitCode = exitCodes.failed;
}

interface ShownRun {
  row: RunRow;
  /** Absent for a corrupt run, as is its configuration. */
  manifest?: RunManifest | undefined;
  config?: RunConfig | undefined;
  /** Null before the first snapshot, and for a corrupt run. */
  result: TrainResult | null;
}

/** Read a run. Damage that a list does not notice, as it reads only the newest snapshot, makes the run corrupt here. */
async function readShown(found: FoundRun): Promise<ShownRun> {
  const { directory, manifest, status } = found;
  const row = await runRow(found);
  if (row.status === "corrupt" || !manifest) return { row, result: null };
  try {
    const config = readRunConfig(directory);
    const hasStates = recordedStep(directory) !== undefined;
    return { row, manifest, config, result: hasStates ? await summarizeRun(directory, config, manifest, { isRunning: status === "running" }) : null };
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code !== "RUN_CORRUPT") throw error;
    return { row: { ...row, status: status === "running" ? status : "corrupt", problem: error.message }, result: null };
  }
}

function describe(row: RunDocument, manifest: RunManifest | undefined): string[] {
  const lines: [string, string | null | undefined][] = [
    ["Run", row.run],
    ["Name", row.name],
    [
      "Status",
      [row.status, row.finite === false && "not finite", row.pid !== null && `process ${row.pid}`, row.reason, row.problem].filter(Boolean).join(": "),
    ],
    ["Steps", row.steps && `${groupDigits(row.steps.done)} of ${groupDigits(row.steps.planned)}`],
    ["Started", row.created],
    ["Ended", row.ended],
    ["Tags", row.tags.join(" ")],
    ["Note", row.note],
    ["Checkpoints", row.checkpoints.map((step) => `step ${step}`).join(", ")],
    ["Environment", manifest && environmentLine(manifest)],
    ["Model", manifest?.model_changes.join("; ")],
    ["Repository", manifest?.git && `${manifest.git.commit.slice(0, 12)}${manifest.git.dirty ? ", with changes" : ""}`],
    [
      "Trained again",
      row.reproductions.map(({ at, steps, equal }) => `${at}: ${equal ? "equal in every bit" : "other bits"}, to step ${groupDigits(steps)}`).join("; "),
    ],
    ["Resumed", manifest?.resumes.map(({ at, from_step, exact }) => `${at} from step ${from_step}${exact ? "" : " (inexact)"}`).join("; ")],
    ["Resume with:", ["interrupted", "failed", "stopped"].includes(row.status) ? runnable(`bh-bridge resume ${shellQuote(row.run)}`) : null],
  ];
  return lines.flatMap(([label, text]) => (text ? [`${label.padEnd(labelWidth)}${indented(text)}`] : []));
}

/** Indent the further lines of a text, so that none passes for a line of ours. */
function indented(text: string): string {
  return text.replaceAll("\n", `\n${" ".repeat(labelWidth)}`);
}

function environmentLine({ environment }: RunManifest): string {
  const { device, threads, cpu_capability, python, torch, transformers } = environment;
  return `${device}, ${count(threads, "thread")} (${cpu_capability}), Python ${python}, PyTorch ${torch}, transformers ${transformers}`;
}
