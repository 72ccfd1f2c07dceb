import { existsSync } from "node:fs";
import { join } from "node:path";
import { lockHolders } from "../../python/lock-holders.js";
import { runRow } from "../../runner/run-row.js";
import { summarizeRun } from "../../runner/summarize-run.js";
import { resolveRun } from "../../runs/resolve-run.js";
import { readRunConfig } from "../../runs/run-config.js";
import { historyFile, runCheckpoints } from "../../runs/run-layout.js";
import type { RunManifest } from "../../runs/run-manifest.js";
import { readRunNotes } from "../../runs/run-notes.js";
import { count } from "../../text/count.js";
import { groupDigits } from "../../text/group-digits.js";
import { shellQuote } from "../../text/shell-quote.js";
import { wrap } from "../../text/wrap.js";
import type { Terminal } from "../terminal/terminal.js";
import { printResult } from "../train/show-result.js";
import type { RunDocument } from "./runs-document.js";

const labelWidth = 15;

/** Show one run: what it is, where it stands, how to go on, and what came out so far. */
export async function showRun(given: string, out: string, terminal: Terminal): Promise<void> {
  const found = await resolveRun(given, out, lockHolders);
  const row = await runRow(found);
  const manifest = row.status === "corrupt" ? undefined : found.manifest;
  const config = manifest && readRunConfig(found.directory);
  const result =
    manifest && config && row.steps && existsSync(join(found.directory, historyFile))
      ? await summarizeRun(found.directory, config, manifest, { isRunning: found.status === "running" })
      : null;
  const document: RunDocument = {
    schema: "bh-bridge/run@1",
    ...row,
    manifest: manifest ?? null,
    config: config ? JSON.parse(JSON.stringify(config)) : null,
    reproductions: manifest ? readRunNotes(found.directory).reproductions : [],
    checkpoints: runCheckpoints(found.directory).map(({ step }) => step),
    result,
  };
  terminal.document(document);
  terminal.print(wrap(describe(document, manifest).join("\n"), terminal.width, labelWidth));
  if (result && config) printResult(result, config, terminal);
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
    ["Go on with:", ["interrupted", "failed", "stopped"].includes(row.status) ? `bh-bridge resume ${shellQuote(row.run)}` : null],
  ];
  return lines.flatMap(([label, text]) => (text ? [`${label.padEnd(labelWidth)}${indented(text)}`] : []));
}

/** A text of several lines (a note, what Python raised) with its further lines below its first: none can pass for a line of ours. */
function indented(text: string): string {
  return text.replaceAll("\n", `\n${" ".repeat(labelWidth)}`);
}

function environmentLine({ environment }: RunManifest): string {
  const { device, threads, cpu_capability, python, torch, transformers } = environment;
  return `${device}, ${count(threads, "thread")} (${cpu_capability}), Python ${python}, PyTorch ${torch}, transformers ${transformers}`;
}
