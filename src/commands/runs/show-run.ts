import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { lockHolders } from "../../python/lock-holders.js";
import { type RunRow, runRow } from "../../runner/run-row.js";
import { summarizeRun } from "../../runner/summarize-run.js";
import type { TrainResult } from "../../runner/train-result.js";
import { recordedStep } from "../../runs/history-index.js";
import { readRunConfig } from "../../runs/run-config.js";
import { runCheckpoints } from "../../runs/run-layout.js";
import { type RunManifest, readRunNotes } from "../../runs/run-manifest.js";
import { type FoundRun, resolveRun } from "../../runs/scan-runs.js";
import { shellQuote } from "../../text/escaping.js";
import { count, groupDigits } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { runnable } from "../terminal/invocation.js";
import type { Terminal } from "../terminal/terminal.js";
import { printResult } from "../train/format-result.js";
import type { RunDocument } from "./format-runs.js";

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
    checkpoints: row.status === "corrupt" ? [] : runCheckpoints(found.directory).map(({ step }) => step),
    result,
  };
  terminal.document(document);
  terminal.print(wrap(describe(document, manifest).join("\n"), terminal.width, labelWidth));
  if (result && config) printResult(result, config, terminal);
  if (row.problem === null) return;
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
