import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import { addConfigOptions, type ConfigOptionValues, loadFromOptions } from "../config/config-options.js";
import type { CorpusDocument } from "../documents.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import { addNodeOptions, type NodeValues, nodesOf, takePlace } from "./node-options.js";

interface TrainCommandOptions extends CommonOptions, ConfigOptionValues, NodeValues {
  out: string;
  printConfig?: boolean;
  resumeState?: boolean;
  requireClean?: boolean;
  ifNew?: boolean;
  onEvent?: string;
  serve?: boolean;
  dryRun?: boolean;
}

export function trainCommand(): Command {
  const command = createCommand("train", "Train a model, record it and analyse it", "bh-bridge train --preset quick --corpus my.txt");
  return addNodeOptions(addConfigOptions(command))
    .addOption(outOption())
    .option("--resume-state", "with --from, also the optimizer, schedule and random streams of a checkpoint")
    .option("--require-clean", "failure if the git repository has uncommitted changes")
    .option("--if-new", "result of an equal complete run in --out, if there is one, instead of a new run")
    .option("--on-event <command>", "shell command for alerts and the end, with the event as JSON on stdin")
    .option("--serve", "local page with the run while it trains")
    .option("--dry-run", "documents, tokens and windows of the corpus, without training")
    .option("--print-config", "complete configuration with the source of each value, without training")
    .action(async (options: TrainCommandOptions) => {
      const terminal = new Terminal(options);
      const nodes = nodesOf(options);
      if (nodes && (await takePlace(nodes, options.python, terminal))) return;
      const nproc = nodes ? String(nodes.count * Number(options.nproc ?? 1)) : options.nproc; // NaN is refused by the configuration
      const resolved = await loadFromOptions({ ...options, nproc }, options.out);
      if (options.printConfig) await printResolved(resolved, terminal);
      else if (options.dryRun) await printCorpus(resolved, terminal);
      else await trainAndReport(resolved, options, terminal);
    });
}

async function printResolved(resolved: ResolvedConfig, terminal: Terminal): Promise<void> {
  const { formatResolved } = await import("../config/config-options.js");
  const { configDocument } = await import("../config/config.js");
  const { reportPitfalls } = await import("./run-in-terminal.js");
  const { pitfallsOf } = await import("../../runner/train-result.js");
  reportPitfalls(pitfallsOf(resolved.config), terminal);
  terminal.print(formatResolved(resolved, terminal.color));
  terminal.document(configDocument(resolved));
}

async function printCorpus(resolved: ResolvedConfig, terminal: Terminal): Promise<void> {
  const { corpusOf } = await import("../../bridge/corpus.js");
  const { requireCorpusMemory } = await import("../../bridge/require-memory.js");
  const { stopOnSignal } = await import("../terminal/stop-on-signal.js");
  const { corpusLines } = await import("./format-result.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const { readFrom: _prepared, ...corpus } = await corpusOf(resolved, stop.signal);
  requireCorpusMemory(corpus, resolved.config);
  terminal.print(corpusLines(corpus, resolved.config, corpus.windows).join("\n"));
  terminal.document({ schema: "bh-bridge/corpus@1", ...corpus, documents: corpus.documents ?? 1 } satisfies CorpusDocument);
}

async function trainAndReport(
  resolved: ResolvedConfig,
  { out, resumeState, requireClean, ifNew, onEvent, serve }: TrainCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (requireClean) await refuseChanges();
  const startFrom = resumeState ? stateToResume(resolved) : undefined;
  if (startFrom === undefined) reportUnusedState(resolved, terminal);
  else await reportUnapplied(startFrom, terminal);
  await reportFloat16(resolved, terminal);
  const { offerToResume, reportEqualRun, runInTerminal } = await import("./run-in-terminal.js");
  if (ifNew && (await reportEqualRun(resolved, { out, ...(startFrom && { startFrom }) }, terminal))) return;
  const unfinished = await offerToResume(resolved, out, startFrom, terminal);
  const { PageBeside } = await import("../serve/page-beside.js");
  await using page = new PageBeside(out, terminal);
  if (serve) await page.start();
  if (unfinished !== undefined) {
    const { resumeInTerminal } = await import("../resume.js");
    return await resumeInTerminal(unfinished, { out, ...(onEvent && { onEvent }) }, terminal, page);
  }
  const { trainResolved } = await import("../../runner/train.js");
  await runInTerminal(
    resolved,
    terminal,
    (python, options, listener) => trainResolved(resolved, python, { ...options, out, ...(startFrom && { startFrom }) }, listener),
    { onEvent, page },
  );
}

function stateToResume({ config }: ResolvedConfig): string {
  if (config.model.from !== null) return config.model.from;
  throw new BhBridgeError("USAGE", "--resume-state resumes a checkpoint of HF's Trainer: name its directory with --from");
}

/** Report a checkpoint of HF's Trainer whose optimizer is not used. */
function reportUnusedState({ config }: ResolvedConfig, terminal: Terminal): void {
  const { from } = config.model;
  if (from === null || !existsSync(join(from, "optimizer.pt"))) return;
  terminal.say(`Using only the weights of ${from}. To resume its optimizer, schedule and random streams as well, add --resume-state`);
}

/** Report what a resumed training cannot know of the script that wrote its checkpoint. */
async function reportUnapplied(checkpoint: string, terminal: Terminal): Promise<void> {
  const { hasTrainingArgs, unappliedSettings } = await import("../../config/training-args-layer.js");
  if (hasTrainingArgs(checkpoint)) for (const sentence of unappliedSettings(checkpoint)) terminal.say(sentence);
}

/** Report float16 weights, since no model is trained in float16. */
async function reportFloat16({ config }: ResolvedConfig, terminal: Terminal): Promise<void> {
  const { from, dtype } = config.model;
  if (from === null) return;
  const { openTensors } = await import("../../runs/open-run-directory.js");
  const { tensors, close } = await openTensors(from);
  close();
  if (!tensors.some((tensor) => tensor.dtype === "F16")) return;
  const effect = dtype === "bfloat16" ? "rounded to bfloat16" : "trained as float32, which holds every float16 value exactly";
  terminal.say(`The weights of ${from} are float16. They are ${effect}.`);
}

async function refuseChanges(): Promise<void> {
  const { repositoryState } = await import("../../runs/git-state.js");
  const repository = await repositoryState();
  if (!repository) throw new BhBridgeError("USAGE", "--require-clean: this folder is not in a git repository, or git failed");
  if (repository.state.dirty) throw new BhBridgeError("USAGE", "--require-clean: the git repository has uncommitted changes. See: git status");
}
