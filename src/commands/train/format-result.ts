import { relative } from "node:path";
import type { StartedRun } from "../../bridge/run-record.js";
import { modelInWords } from "../../config/run-config-fields.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { exitCodes } from "../../errors.js";
import { hasStepLosses, notFinite, type TrainResult } from "../../runner/train-result.js";
import { printable } from "../../text/escaping.js";
import { count, formatBytes, groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { holesTable, table } from "../terminal/table.js";
import type { Terminal } from "../terminal/terminal.js";

/** A table of this many lines is read at a glance; longer ones are thinned out, keeping the last line. */
const maxTableRows = 20;
/** A trap that takes two lines continues further in. */
const trapIndent = 4;

function decimal(value: number | null, digits: number): string {
  return value === null ? "not finite" : value.toFixed(digits);
}

function heading(text: string, color: TextColors): string {
  return `\n${color.bold(text)}`;
}

/** What a run starts from: corpus, model, device, directory. */
export function formatStart(
  { directory, manifest, windows }: Pick<StartedRun, "directory" | "manifest" | "windows">,
  { model, init }: RunConfig,
  color: TextColors,
): string {
  const { corpus, environment, parameters, processes = 1 } = manifest;
  const each = processes > 1 ? ` in each of ${processes} processes` : "";
  const filtered = corpus.filtered > 0 ? `, ${count(corpus.filtered, "character")} outside the vocabulary left out` : "";
  return [
    `Corpus   ${printable(corpus.path)}`,
    `         ${count(corpus.tokens, "token")}, ${corpus.distinct} distinct, ${corpus.dead} dead of ${model.vocab_size}${filtered}; ${count(windows, "window")}`,
    `Model    ${modelInWords(model)}, ${count(parameters, "parameter")}, ${model.dtype}; start: ${init.kind}`,
    `Device   ${environment.device}, ${count(environment.threads, "thread")}${each} (${environment.cpu_capability})`,
    `Run      ${printable(relative(process.cwd(), directory))}`,
  ]
    .map((line) => color.dim(line))
    .join("\n");
}

/** What the notebook prints at its end, the verdict first: black holes, losses, centroid, summary. */
export function formatResult(result: TrainResult, config: RunConfig, color: TextColors, width?: number): string {
  const { census, corpus, displacement, steps, verdict } = result;
  const colored = verdict.result === "null" ? color.cyan : verdict.result === "positive" ? color.green : color.yellow;
  const lines = [
    heading(`Verdict: ${colored(verdict.result)}`, color),
    `  ${verdict.reason}`,
    heading("Black-hole analysis", color),
    `  Black holes         C = ${census.C}`,
    `  Population          P = ${census.P}`,
    `  Unique rows         ${census.unique} of ${census.rows}`,
    `  Dead tokens         ${corpus.dead}`,
    ...(census.C > 0 ? ["", holesTable(census, width)] : []),
    heading("Training loss", color),
    ...lossLines(result, config, width),
    heading("Centroid", color),
    table(
      ["step", "norm"],
      result.centroidNorm.map(([step, norm]) => [groupDigits(step), decimal(norm, 6)]),
      { width, indent: 2 },
    ),
    `  Displacement ${decimal(displacement.float32, 6)} (float32), ${decimal(displacement.bfloat16, 6)} (the notebook's bfloat16 arithmetic)`,
    heading("Summary", color),
    `  ${modelInWords(config.model)}, ${groupDigits(steps.done)} of ${count(steps.planned, "step")}, ${result.stepsPerSecond.toFixed(1)} steps/s`,
    ...(result.finite ? [] : [color.red(`  Failed: ${notFinite}`)]),
    ...(result.usage ? [`  Used ${usedText(result.usage)}`] : []),
  ];
  return wrap(lines.join("\n"), width);
}

/** The notebook's traps that a run reproduces, a line for each with the setting that corrects it; empty when there is none. */
export function formatTraps({ traps }: TrainResult, color: TextColors, width?: number): string {
  if (traps.length === 0) return "";
  const widest = Math.max(...traps.map(({ what }) => what.length));
  const lines = traps.map(({ what, corrected }) => `  ${what.padEnd(widest)}  ${color.dim(corrected)}`);
  return [heading("As in the notebook; --set corrects it", color), wrap(lines.join("\n"), width, trapIndent)].join("\n");
}

function usedText({ cpuCores, peakBytes, gpuPeakBytes }: NonNullable<TrainResult["usage"]>): string {
  const gpu = gpuPeakBytes === null ? "" : `, ${formatBytes(gpuPeakBytes)} of the GPU's`;
  return `${cpuCores.toFixed(1)} cores on average, ${formatBytes(peakBytes)} of memory at the peak${gpu}`;
}

/** The losses as HF logs them, each the mean of the steps since the one before; of a run without a log, those of its steps. */
function lossLines(result: TrainResult, config: RunConfig, width: number | undefined): string[] {
  const { loss } = result;
  if (loss.length === 0) return ["  No step was made."];
  const every = Math.ceil(loss.length / maxTableRows);
  const shown = loss.filter((_, index) => (index + 1) % every === 0 || index === loss.length - 1);
  const rows = shown.map(([step, value]) => [groupDigits(step), decimal(value, 4)]);
  const [title, column] = hasStepLosses(result, config)
    ? ["  Of single steps, each on one batch: the run is shorter than training.logging_steps", "loss"]
    : ["  Mean over training.logging_steps, up to each step", "mean loss"];
  return [title, table(["step", column], rows, { width, indent: 2 })];
}

/** Print what came out of a run, for people; the notebook's traps come last, and not under `--quiet`. */
export function printResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  terminal.print(formatResult(result, config, terminal.color, terminal.width));
  const traps = formatTraps(result, terminal.color, terminal.width);
  if (traps !== "" && !terminal.quiet) terminal.print(traps);
}

/** Print what came out of a run, for people or as its document. A run that was not finite at its end has failed, and the exit code says so. */
export function showResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  printResult(result, config, terminal);
  terminal.document(result);
  if (!result.finite) process.exitCode = exitCodes.failed;
}
