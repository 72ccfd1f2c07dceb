import { type Command, InvalidArgumentError } from "commander";
import { allAnalyses } from "../analysis/analyses.js";
import { type Analysis, partOf, type TextTable } from "../analysis/analysis.js";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import type { AnalyzeOptions } from "../analysis/analyze.js";
import { degeneracyExplanations } from "../analysis/verdict.js";
import { BhBridgeError } from "../errors.js";
import { type History, stepOfState } from "../formats/history.js";
import { printable } from "../text/escaping.js";
import { count, groupDigits, type TextColors } from "../text/format.js";
import { wrap } from "../text/wrap.js";
import { type CommonOptions, createCommand } from "./terminal/command.js";
import { createProgress } from "./terminal/progress.js";
import { stopOnSignal } from "./terminal/stop-on-signal.js";
import { table } from "./terminal/table.js";
import { findTarget, parseWhole } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

type AnalyzeCommandOptions = CommonOptions & { only?: string[]; k?: number; step?: number; against?: string; maxTokens?: number; maxNodes?: number };

const analysisNames = allAnalyses().map(({ name }) => name);

export function analyzeCommand(): Command {
  const onRequest = allAnalyses().flatMap(({ name, isOnRequest }) => (isOnRequest ? [name] : []));
  return createCommand(
    "analyze",
    "Follow black holes, motion and geometry over the steps of a training",
    "bh-bridge analyze runs/my-run --only timeline,motion",
  )
    .argument("<run|file[::tensor]>", "run directory, or file with a history [states, tokens, dims]")
    .option("--only <names>", `analyses of ${analysisNames.join(", ")} (default: all but ${onRequest.join(", ")})`, parseNames)
    .option("--k <cells>", "lattice cells between neighbours in the topology (default: 1)", parseWhole(0))
    .option("--step <n>", "last training step to analyse (default: all steps)", parseWhole(0))
    .option("--against <run|file>", "second run or history to measure the distance to, in kinematics")
    .option("--max-tokens <n>", "maximum length of arrays in the results (default: 10000)", parseWhole(0))
    .option("--max-nodes <n>", "maximum number of unique rows for a topology (default: 10000)", parseWhole(0))
    .action(runAnalyze);
}

function parseNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !analysisNames.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`Unknown analysis "${unknown}". Use ${analysisNames.join(", ")}.`);
  return names;
}

async function runAnalyze(target: string, options: AnalyzeCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { path, tensor } = await findTarget(target);
  const { openHistory } = await import("../runs/open-history.js");
  const history = await openHistory(path, tensor);
  const against = options.against === undefined ? undefined : await findTarget(options.against);
  const other = against && (await openHistory(against.path, against.tensor));
  try {
    const states = await chooseStates(history, options.step);
    const run = tensor === undefined ? (await import("../runs/recorded-run.js")).recordedRun(path) : undefined;
    const document = await analyzeWithProgress(states, { ...options, run, against: other }, terminal);
    // A partial analysis must not replace a complete one.
    const isWhole = tensor === undefined && options.only === undefined && options.step === undefined;
    const written = isWhole ? await storeInRun(path, document, terminal) : undefined;
    terminal.document(document);
    if (terminal.json) return;
    terminal.print(formatAnalysis(document, terminal.color, terminal.width));
    if (written !== undefined) terminal.say(`\nWritten to ${written}`);
  } finally {
    other?.close();
    history.close();
  }
}

async function chooseStates(history: History, step: number | undefined): Promise<History> {
  if (step === undefined) return history;
  const [{ historyUntil }, { stateOfStep }] = await Promise.all([import("../analysis/series.js"), import("../formats/history.js")]);
  return historyUntil(history, stateOfStep(history, step));
}

async function analyzeWithProgress(
  history: History,
  { only, run, against, k, maxTokens, maxNodes }: Omit<AnalyzeCommandOptions, "against"> & Pick<AnalyzeOptions, "run" | "against">,
  terminal: Terminal,
): Promise<AnalysisDocument> {
  const { analyze } = await import("../analysis/analyze.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the analysis" });
  using progress = createProgress(terminal, "Analysing", "states", history.states);
  return await analyze(history, { only, run, against, k, maxTokens, maxNodes, signal: stop.signal, onProgress: (done) => progress.update(done) });
}

/** Write the document into its run, if that is writable. */
async function storeInRun(path: string, document: AnalysisDocument, terminal: Terminal): Promise<string | undefined> {
  const { isRunDirectory } = await import("../runs/run-layout.js");
  if (!isRunDirectory(path)) return undefined;
  const { writeAnalysis } = await import("../runs/recorded-run.js");
  try {
    return writeAnalysis(path, document);
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    terminal.say(`Not stored in the run: ${error.message}`);
    return undefined;
  }
}

const maxPopulationsShown = 12;

type Section = { readonly title: string; readonly lines: readonly (string | TextTable)[] };

function censusSection({ unique, rows, C, P, populations }: AnalysisDocument["finalCensus"]): Section {
  const shown = populations.slice(0, maxPopulationsShown).map(groupDigits).join(", ");
  const more = populations.length > maxPopulationsShown ? `, … (${groupDigits(populations.length)} in all)` : "";
  const holes = C > 0 ? `; populations ${shown}${more}` : "";
  return { title: "Last state", lines: [`C = ${groupDigits(C)}, P = ${groupDigits(P)}, ${groupDigits(unique)} unique of ${groupDigits(rows)}${holes}`] };
}

function sectionOf(analysis: Analysis, document: AnalysisDocument): Section[] {
  const part = partOf(document, analysis);
  return part === undefined ? [] : [{ title: analysis.title, lines: analysis.print(part, (state) => stepOfState(document, state)) }];
}

/** Format an analysis: a short table per part. */
export function formatAnalysis(document: AnalysisDocument, color: TextColors, width?: number): string {
  const { source, dtype, states, tokens, dims, degenerate, finalCensus, notes } = document;
  const sections = allAnalyses().flatMap((analysis) => [
    ...(analysis.name === "statistics" ? [censusSection(finalCensus)] : []), // whose populations the statistics describe
    ...sectionOf(analysis, document),
  ]);
  if (notes.length > 0) sections.push({ title: "Notes", lines: notes.map((note) => `· ${note}`) });
  const lines = [
    `${color.bold(printable(source))}: ${dtype}, ${count(states, "state")} of ${groupDigits(tokens)} × ${groupDigits(dims)}`,
    ...degenerate.map((name) => color.yellow(`Degenerate (${name}): ${degeneracyExplanations[name]}. The results say nothing about black holes.`)),
    ...sections.flatMap((section) => [
      "",
      color.bold(section.title),
      ...section.lines.map((line) => (typeof line === "string" ? `  ${line}` : table(line.head, line.rows, { width, indent: 2 }))),
    ]),
  ];
  return wrap(lines.join("\n"), width);
}
