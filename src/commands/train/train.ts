import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import { addConfigOptions, type ConfigOptionValues, loadFromOptions } from "../config/config-options.js";
import type { ResumeValues } from "../resume.js";
import type { PageBeside } from "../serve/page-beside.js";
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
}

/** `bh-bridge train`: one run from nothing to its verdict. */
export function trainCommand(): Command {
  const command = createCommand("train", "Train a model, record it and analyse it", "bh-bridge train --preset quick --corpus my.txt");
  return addNodeOptions(addConfigOptions(command))
    .addOption(outOption())
    .option("--resume-state", "with --from: also resume optimizer, schedule and random streams of a checkpoint, of HF's Trainer or of a run")
    .option("--require-clean", "refuse to start if the git repository has uncommitted changes")
    .option("--if-new", "skip training if an equal run is complete in the folder of runs, and print its result")
    .option("--on-event <command>", "shell command to run at alerts and at the end, with the event as JSON on stdin")
    .option("--serve", "show the run on a local page while it trains, and print the address")
    .option("--print-config", "print the complete configuration with the source of each value, and exit")
    .action(async ({ json, quiet, progress, color, out, printConfig, resumeState, requireClean, ifNew, onEvent, serve, ...options }: TrainCommandOptions) => {
      const terminal = new Terminal({ color, ...(json && { json }), ...(quiet && { quiet }), ...(progress && { progress }) });
      const { nnodes, nodeRank, rdzvEndpoint, rdzvId, ...given } = options;
      const nodes = nodesOf({ nnodes, nodeRank, rdzvEndpoint, rdzvId });
      if (nodes && (await takePlace(nodes, given.python, terminal))) return;
      if (nodes) given.nproc = String(nodes.count * Number(given.nproc ?? 1)); // NaN for what is no number: the configuration says so
      const resolved = await loadFromOptions(given, out);
      if (printConfig) await printResolved(resolved, terminal);
      else await trainAndReport(resolved, { out, resumeState, requireClean, ifNew, onEvent, serve }, terminal);
    });
}

/** Print a complete configuration with the origin of each value. */
async function printResolved(resolved: ResolvedConfig, terminal: Terminal): Promise<void> {
  const [{ formatResolved }, { configDocument }, { reportPitfalls }, { trapsOf }] = await Promise.all([
    import("../config/config-options.js"),
    import("../config/config.js"),
    import("./run-in-terminal.js"),
    import("../../runner/pitfalls.js"),
  ]);
  reportPitfalls(trapsOf(resolved.config), terminal);
  terminal.print(formatResolved(resolved, terminal.color));
  terminal.document(configDocument(resolved));
}

interface RunOptions {
  out: string;
  resumeState: boolean | undefined;
  requireClean: boolean | undefined;
  ifNew: boolean | undefined;
  onEvent: string | undefined;
  serve: boolean | undefined;
}

async function trainAndReport(
  resolved: ResolvedConfig,
  { out, resumeState, requireClean, ifNew, onEvent, serve }: RunOptions,
  terminal: Terminal,
): Promise<void> {
  if (requireClean) await refuseChanges();
  const startFrom = resumeState ? stateToResume(resolved) : undefined;
  if (!resumeState) tellOfUnusedState(resolved, terminal);
  if (ifNew) {
    const { tellOfEqualRun } = await import("./run-in-terminal.js");
    if (await tellOfEqualRun(resolved, { out, ...(startFrom && { startFrom }) }, terminal)) return;
  }
  const { offerToResume } = await import("./run-in-terminal.js");
  const unfinished = await offerToResume(resolved, out, startFrom, terminal);
  const { PageBeside } = await import("../serve/page-beside.js");
  await using page = new PageBeside(out, terminal);
  if (serve) await page.start();
  if (unfinished !== undefined) return await resumeUnfinished(unfinished, { out, ...(onEvent && { onEvent }) }, terminal, page);
  const [{ runInTerminal }, { trainResolved }] = await Promise.all([import("./run-in-terminal.js"), import("../../runner/train.js")]);
  await runInTerminal(
    resolved,
    terminal,
    (python, options, listener) => trainResolved(resolved, python, { ...options, out, ...(startFrom && { startFrom }) }, listener),
    { onEvent, page },
  );
}

async function resumeUnfinished(run: string, options: ResumeValues, terminal: Terminal, page: PageBeside): Promise<void> {
  const { resumeInTerminal } = await import("../resume.js");
  await resumeInTerminal(run, options, terminal, page);
}

function stateToResume({ config }: ResolvedConfig): string {
  if (config.model.from !== null) return config.model.from;
  throw new BhBridgeError("USAGE", "--resume-state goes on from a checkpoint of HF's Trainer: name its directory with --from");
}

/** A checkpoint of HF's Trainer has more than weights. */
function tellOfUnusedState({ config }: ResolvedConfig, terminal: Terminal): void {
  const { from } = config.model;
  if (from === null || !existsSync(join(from, "optimizer.pt"))) return;
  terminal.say(`Only the weights of ${from} are taken. To go on with its optimizer, schedule and random streams as well, add --resume-state`);
}

async function refuseChanges(): Promise<void> {
  const { repositoryState } = await import("../../runs/git-state.js");
  const repository = await repositoryState();
  if (!repository) throw new BhBridgeError("USAGE", "--require-clean: this folder is in no git repository, or git does not answer");
  if (repository.state.dirty) throw new BhBridgeError("USAGE", "--require-clean: the git repository has changes that are not committed. See: git status");
}
