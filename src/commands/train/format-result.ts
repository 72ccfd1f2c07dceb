import { relative } from "node:path";
import type { StartedRun } from "../../bridge/run-record.js";
import { modelInWords } from "../../config/run-config-fields.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { exitCodes } from "../../errors.js";
import { hasStepLosses, notFinite, type TrainResult } from "../../runner/train-result.js";
import type { CorpusFacts } from "../../runs/run-manifest.js";
import { printable } from "../../text/escaping.js";
import { count, formatBytes, groupDigits, type TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import { holesTable, table } from "../terminal/table.js";
import type { Terminal } from "../terminal/terminal.js";

/** Longer tables are thinned out; the last line stays. */
const maxTableRows = 20;
const pitfallIndent = 4;

function decimal(value: number | null, digits: number): string {
  return value === null ? "not finite" : value.toFixed(digits);
}

const heading = (text: string, color: TextColors): string => `\n${color.bold(text)}`;

/** The files of a corpus, its documents, tokens and windows. */
export function corpusLines(corpus: CorpusFacts, { model }: Pick<RunConfig, "model">, windows: number): string[] {
  const { documents = 1, joint, files = [corpus] } = corpus;
  const filtered = corpus.filtered > 0 ? `, ${count(corpus.filtered, "character")} outside the vocabulary omitted` : "";
  const joined = joint === undefined ? "separate" : `joined by ${joint === "\n\n" ? "a blank line" : printable(joint)}`;
  const texts = files.map(
    ({ path }, index) =>
      `${index === 0 ? "Corpus " : "       "}  ${printable(path)}${corpus.files ? `: ${count(corpus.files[index]?.windows ?? 0, "window")}` : ""}`,
  );
  return [
    ...texts,
    ...(documents > 1 ? [`         ${count(documents, "document")}, ${joined}`] : []),
    `         ${count(corpus.tokens, "token")}, ${corpus.distinct} distinct, ${corpus.dead} dead of ${model.vocab_size}${filtered}; ${count(windows, "window")}`,
    ...(corpus.tokenizer?.restored === false ? ["         its tokens do not restore the text exactly: the tokenizer normalizes or drops parts of it"] : []),
  ];
}

/** Corpus, model, device and directory of a run that starts. */
export function formatStart(
  { directory, manifest, windows }: Pick<StartedRun, "directory" | "manifest" | "windows">,
  { model, init }: RunConfig,
  color: TextColors,
): string {
  const { corpus, environment, parameters, processes = 1 } = manifest;
  const each = processes > 1 ? ` in each of ${processes} processes` : "";
  return [
    ...corpusLines(corpus, { model }, windows),
    `Model    ${modelInWords(model)}, ${count(parameters, "parameter")}, ${model.dtype}; start: ${init.kind}`,
    `Device   ${environment.device}, ${count(environment.threads, "thread")}${each} (${environment.cpu_capability})`,
    `Run      ${printable(relative(process.cwd(), directory))}`,
  ]
    .map((line) => color.dim(line))
    .join("\n");
}

/** Format the output of the notebook: verdict, black holes, losses, centroid, summary. */
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

/** Pitfalls as lines: each with the setting that corrects it. */
export function pitfallLines(pitfalls: readonly { readonly what: string; readonly corrected: string }[], color: TextColors): string[] {
  const widest = Math.max(...pitfalls.map(({ what }) => what.length));
  return pitfalls.map(({ what, corrected }) => `  ${what.padEnd(widest)}  ${color.dim(corrected)}`);
}

/** Format the pitfalls of the notebook that a run reproduces; empty if there is none. */
export function formatPitfalls({ traps }: TrainResult, color: TextColors, width?: number): string {
  if (traps.length === 0) return "";
  return [heading("Pitfalls as in the notebook; correct them with --set", color), wrap(pitfallLines(traps, color).join("\n"), width, pitfallIndent)].join("\n");
}

function usedText({ cpuCores, peakBytes, gpuPeakBytes }: NonNullable<TrainResult["usage"]>): string {
  const gpu = gpuPeakBytes === null ? "" : `, ${formatBytes(gpuPeakBytes)} of the GPU's`;
  return `${cpuCores.toFixed(1)} cores on average, ${formatBytes(peakBytes)} of memory at the peak${gpu}`;
}

/** The losses that HF logs, each a mean since the previous log; for a run without a log, the losses of its steps. */
function lossLines(result: TrainResult, config: RunConfig, width: number | undefined): string[] {
  const { loss } = result;
  if (loss.length === 0) return ["  No step was taken."];
  const every = Math.ceil(loss.length / maxTableRows);
  const shown = loss.filter((_, index) => (index + 1) % every === 0 || index === loss.length - 1);
  const rows = shown.map(([step, value]) => [groupDigits(step), decimal(value, 4)]);
  const [title, column] = hasStepLosses(result, config)
    ? ["  Single steps, one batch each: the run is shorter than training.logging_steps", "loss"]
    : ["  Mean over the training.logging_steps up to each step", "mean loss"];
  return [title, table(["step", column], rows, { width, indent: 2 })];
}

/** Print a result for people, with the pitfalls at the end unless `--quiet`. */
export function printResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  terminal.print(formatResult(result, config, terminal.color, terminal.width));
  const pitfalls = formatPitfalls(result, terminal.color, terminal.width);
  if (pitfalls !== "" && !terminal.quiet) terminal.print(pitfalls);
}

/** Print a result for people or as a document. A run with values that are not finite sets the exit code of a failure. */
export function showResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  printResult(result, config, terminal);
  terminal.document(result);
  if (!result.finite) process.exitCode = exitCodes.failed;
}
