import { type Command, InvalidArgumentError, Option } from "commander";
import { allAnalyses } from "../analysis/analyses.js";
import { type Analysis, partOf, type RecordedRun, type TextTable } from "../analysis/analysis.js";
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
import { findTarget } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";

interface AnalyzeCommandOptions extends CommonOptions {
  only?: string[];
  k?: number;
  step?: number;
  against?: string;
  maxTokens?: number;
  maxNodes?: number;
}

/** `bh-bridge analyze RUN|FILE`: what happens to the rows of an embedding over a training. */
export function analyzeCommand(): Command {
  return createCommand(
    "analyze",
    "Follow black holes, motion and geometry over the steps of a training",
    "bh-bridge analyze runs/my-run --only timeline,motion",
  )
    .argument("<run|file[::tensor]>", "run directory, or file with a history [states, tokens, dims]")
    .addOption(new Option("--only <names>", `analyses to make, of ${analysisNames().join(", ")}; by default all but ${onRequest()}`).argParser(parseNames))
    .option("--k <cells>", "lattice cells that neighbours in the topology differ by at most; 1 by default", parseWhole)
    .option("--step <n>", "look at the history up to this training step only", parseWhole)
    .option("--against <run|file>", "another run or history, which kinematics says how far this one goes apart from")
    .option("--max-tokens <n>", "leave out arrays with more entries than this; 10000 by default", parseWhole)
    .option("--max-nodes <n>", "leave out a topology of more unique rows than this; 10000 by default", parseWhole)
    .action(runAnalyze);
}

function parseWhole(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 0 on.");
}

function analysisNames(): string[] {
  return allAnalyses().map(({ name }) => name);
}

function onRequest(): string {
  return allAnalyses()
    .filter(({ isOnRequest }) => isOnRequest)
    .map(({ name }) => name)
    .join(", ");
}

function parseNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const known = analysisNames();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no analysis "${unknown}"; there are ${known.join(", ")}.`);
  return names;
}

async function runAnalyze(target: string, options: AnalyzeCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { path, tensor } = await findTarget(target);
  const { openHistory } = await import("../runs/open-history.js");
  const history = await openHistory(path, tensor);
  const other = options.against === undefined ? undefined : await openOther(options.against);
  try {
    const document = await analyzeWithProgress(
      await chooseStates(history, options.step),
      { ...options, run: await runOf(path, tensor), against: other },
      terminal,
    );
    const written = tensor === undefined && isWhole(options) ? await keepInRun(path, document, terminal) : undefined;
    terminal.document(document);
    if (terminal.json) return;
    terminal.print(formatAnalysis(document, terminal.color, terminal.width));
    if (written !== undefined) terminal.say(`\nWritten to ${written}`);
  } finally {
    other?.close();
    history.close();
  }
}

/** Whether a document is worth keeping: a part of an analysis must not take the place of a whole one. */
function isWhole({ only, step }: AnalyzeCommandOptions): boolean {
  return only === undefined && step === undefined;
}

async function chooseStates(history: History, step: number | undefined): Promise<History> {
  if (step === undefined) return history;
  const [{ historyUntil }, { stateOfStep }] = await Promise.all([import("../analysis/states.js"), import("../formats/history.js")]);
  return historyUntil(history, stateOfStep(history, step));
}

async function openOther(target: string): Promise<History> {
  const [{ openHistory }, { path, tensor }] = await Promise.all([import("../runs/open-history.js"), findTarget(target)]);
  return await openHistory(path, tensor);
}

/** The run whose embedding is analysed; nothing for another tensor of it, or for a file. */
async function runOf(path: string, tensor: string | undefined): Promise<RecordedRun | undefined> {
  if (tensor !== undefined) return undefined;
  const { recordedRun } = await import("../runs/recorded-run.js");
  return recordedRun(path);
}

async function analyzeWithProgress(
  history: History,
  { only, run, against, k, maxTokens, maxNodes }: Omit<AnalyzeCommandOptions, "against"> & Pick<AnalyzeOptions, "run" | "against">,
  terminal: Terminal,
): Promise<AnalysisDocument> {
  const { analyze } = await import("../analysis/analyze.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the analysis" });
  const progress = createProgress(terminal, "Analysing", "states", history.states);
  try {
    return await analyze(history, { only, run, against, k, maxTokens, maxNodes, signal: stop.signal, onProgress: (done) => progress.update(done) });
  } finally {
    progress.stop();
  }
}

/** Write the document into the run that was analysed; a run that may not be written to is analysed all the same. */
async function keepInRun(path: string, document: AnalysisDocument, terminal: Terminal): Promise<string | undefined> {
  const { isRunDirectory } = await import("../runs/run-layout.js");
  if (!isRunDirectory(path)) return undefined;
  const { writeAnalysis } = await import("../runs/recorded-run.js");
  try {
    return writeAnalysis(path, document);
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    terminal.say(`Not kept in the run: ${error.message}`);
    return undefined;
  }
}

const maxPopulationsShown = 12;

/** Lines for people under a title. */
interface Section {
  readonly title: string;
  readonly lines: readonly (string | TextTable)[];
}

function censusSection({ unique, rows, C, P, populations }: AnalysisDocument["finalCensus"]): Section {
  const shown = populations.slice(0, maxPopulationsShown).map(groupDigits).join(", ");
  const more = populations.length > maxPopulationsShown ? `, … (${groupDigits(populations.length)} in all)` : "";
  const holes = C > 0 ? `; populations ${shown}${more}` : "";
  return { title: "Last state", lines: [`C = ${groupDigits(C)}, P = ${groupDigits(P)}, ${groupDigits(unique)} unique of ${groupDigits(rows)}${holes}`] };
}

/** What an analysis found, unless it was not made. */
function sectionOf(analysis: Analysis, document: AnalysisDocument): Section[] {
  const part = partOf(document, analysis);
  return part === undefined ? [] : [{ title: analysis.title, lines: analysis.print(part, (state) => stepOfState(document, state)) }];
}

/** An analysis for people: a short table for each part. */
export function formatAnalysis(document: AnalysisDocument, color: TextColors, width?: number): string {
  const { source, dtype, states, tokens, dims, degenerate, finalCensus, notes } = document;
  const sections = allAnalyses().flatMap((analysis) => [
    // The populations that the statistics are of stand above them.
    ...(analysis.name === "statistics" ? [censusSection(finalCensus)] : []),
    ...sectionOf(analysis, document),
  ]);
  if (notes.length > 0) sections.push({ title: "Notes", lines: notes.map((note) => `· ${note}`) });
  const lines = [
    `${color.bold(printable(source))}: ${dtype}, ${count(states, "state")} of ${groupDigits(tokens)} × ${groupDigits(dims)}`,
    ...degenerate.map((name) => color.yellow(`Degenerate (${name}): ${degeneracyExplanations[name]}. What follows says nothing about black holes.`)),
    ...sections.flatMap((section) => [
      "",
      color.bold(section.title),
      ...section.lines.map((line) => (typeof line === "string" ? `  ${line}` : table(line.head, line.rows, { width, indent: 2 }))),
    ]),
  ];
  return wrap(lines.join("\n"), width);
}
