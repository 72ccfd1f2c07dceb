import { relative } from "node:path";
import Table from "cli-table3";
import type { Experiment } from "../config/experiment-schema.js";
import type { TextColors } from "../config/text-colors.js";
import type { TrainResult } from "../experiment/train-result.js";
import { count } from "../text/count.js";
import { groupDigits } from "../text/group-digits.js";
import type { StartedRun } from "../training/started-run.js";
import { formatBytes } from "./format-bytes.js";
import { holesTable } from "./holes-table.js";

/** A table of this many lines is read at a glance; longer ones are thinned out, keeping the last line. */
const maxTableRows = 20;

function decimal(value: number | null, digits: number): string {
  return value === null ? "not finite" : value.toFixed(digits);
}

function heading(text: string, color: TextColors): string {
  return `\n${color.bold(text)}`;
}

/** What a run starts from: corpus, model, device, directory. */
export function formatStart({ directory, manifest, windows }: StartedRun, { model, init }: Experiment, color: TextColors): string {
  const { corpus, environment, parameters } = manifest;
  const filtered = corpus.filtered > 0 ? `, ${count(corpus.filtered, "character")} outside the vocabulary left out` : "";
  return [
    `Corpus   ${corpus.path}`,
    `         ${count(corpus.tokens, "token")}, ${corpus.distinct} distinct, ${corpus.dead} dead of ${model.vocab_size}${filtered}; ${count(windows, "window")}`,
    `Model    GPT-2 with ${model.norm === "rmsnorm" ? "RMSNorm" : "LayerNorm"}, ${count(parameters, "parameter")}, ${model.dtype}; start: ${init.kind}`,
    `Device   ${environment.device}, ${count(environment.threads, "thread")} (${environment.cpu_capability})`,
    `Run      ${relative(process.cwd(), directory)}`,
  ]
    .map((line) => color.dim(line))
    .join("\n");
}

/** What the notebook prints at its end: losses, centroid, black holes, summary, verdict; and the traps that the run reproduces. */
export function formatResult(result: TrainResult, { model }: Experiment, color: TextColors): string {
  const { census, corpus, displacement, steps, verdict } = result;
  const norm = model.norm === "rmsnorm" ? "RMSNorm" : "LayerNorm";
  const colored = verdict.result === "null" ? color.cyan : verdict.result === "positive" ? color.green : color.yellow;
  return [
    heading("Training loss", color),
    lossTable(result),
    heading("Centroid norm", color),
    result.centroidNorm.map(([step, norm]) => `  step ${String(step).padStart(6)}  ${decimal(norm, 6)}`).join("\n"),
    heading("Black-hole analysis", color),
    `  Black holes         C = ${census.C}`,
    `  Population          P = ${census.P}`,
    `  Unique rows         ${census.unique} of ${census.rows}`,
    `  Dead tokens         ${corpus.dead}`,
    ...(census.C > 0 ? [holesTable(census, process.stdout.columns)] : []),
    heading("Summary", color),
    `  GPT-2 with ${norm}, ${groupDigits(steps.done)} of ${count(steps.planned, "step")}, ${result.stepsPerSecond.toFixed(1)} steps/s`,
    ...(result.usage ? [`  Used ${usedText(result.usage)}`] : []),
    `  Centroid displacement  ${decimal(displacement.float32, 6)} (float32), ${decimal(displacement.bfloat16, 6)} (the notebook's bfloat16 arithmetic)`,
    ...(result.traps.length > 0
      ? [
          heading("As in the notebook, and part of the result", color),
          ...result.traps.flatMap(({ what, corrected }) => [`  · ${what}`, color.dim(`    corrected by --set ${corrected}`)]),
        ]
      : []),
    heading(`Verdict: ${colored(verdict.result)}`, color),
    `  ${verdict.reason}`,
  ].join("\n");
}

function usedText({ cpuCores, peakBytes, gpuPeakBytes }: NonNullable<TrainResult["usage"]>): string {
  const gpu = gpuPeakBytes === null ? "" : `, ${formatBytes(gpuPeakBytes)} of the GPU's`;
  return `${cpuCores.toFixed(1)} cores on average, ${formatBytes(peakBytes)} of memory at the peak${gpu}`;
}

function lossTable({ loss }: TrainResult): string {
  if (loss.length === 0) return "  (nothing was logged: the run is shorter than training.logging_steps)";
  const every = Math.ceil(loss.length / maxTableRows);
  const shown = loss.filter((_, index) => (index + 1) % every === 0 || index === loss.length - 1);
  const table = new Table({ head: ["step", "loss"], colAligns: ["right", "right"], style: { head: [], border: [], compact: true } });
  table.push(...shown.map(([step, value]) => [groupDigits(step), decimal(value, 4)]));
  return table.toString();
}
