import type { Command } from "commander";
import type { ResolvedExperiment } from "../config/load-experiment.js";
import { type CommonOptions, createCommand } from "./command.js";
import { addExperimentOptions, type ExperimentOptionValues, loadFromOptions } from "./experiment-options.js";
import { Terminal } from "./terminal.js";

interface TrainCommandOptions extends CommonOptions, ExperimentOptionValues {
  out: string;
  printConfig?: boolean;
}

/** `bh-bridge train`: run one experiment, from nothing to a verdict. */
export function trainCommand(): Command {
  const command = createCommand("train", "Run one experiment: train, record, analyse, judge", "bh-bridge train --preset quick --corpus my.txt");
  return addExperimentOptions(command)
    .option("--out <dir>", "folder that holds the runs", "runs")
    .option("--print-config", "print the complete configuration, with the origin of each value, and stop")
    .action(async ({ json, quiet, color, out, printConfig, ...given }: TrainCommandOptions) => {
      const terminal = new Terminal({ color, ...(json && { json }), ...(quiet && { quiet }) });
      const experiment = await loadFromOptions(given);
      if (printConfig) await printResolved(experiment, terminal);
      else await trainAndReport(experiment, out, terminal);
    });
}

async function printResolved(experiment: ResolvedExperiment, terminal: Terminal): Promise<void> {
  const { printConfig } = await import("./print-config.js");
  printConfig(experiment, terminal);
}

async function trainAndReport(experiment: ResolvedExperiment, out: string, terminal: Terminal): Promise<void> {
  const [{ runInTerminal }, { runExperiment }] = await Promise.all([import("./run-in-terminal.js"), import("../experiment/train.js")]);
  await runInTerminal(experiment, terminal, (python, options, listener) => runExperiment(experiment, python, { ...options, out }, listener));
}
