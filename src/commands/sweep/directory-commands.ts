import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/require-packages.js";
import type { Executor } from "../../sweep/executors/executor.js";
import type { ExperimentDocument } from "../../sweep/experiment/experiment-summary.js";
import { trialStatuses } from "../../sweep/ledger.js";
import type { Plan } from "../../sweep/plan/plan.js";
import type { SweepDocument } from "../../sweep/sweep-document.js";
import { count } from "../../text/format.js";
import { commonOptions, createCommand, repeated } from "../terminal/command.js";
import { parseWhole } from "../terminal/target.js";
import { Terminal } from "../terminal/terminal.js";
import { addExecutorOptions, executorOption, type TrialOptionValues } from "./trial-options.js";

/** The document of `sweep logs --json`. */
export const sweepLogsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-logs@1"),
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Absolute path of its run; null if it has none. */
  run: z.string().nullable(),
  /** Reason why it failed, was pruned or was lost. */
  reason: z.string().nullable(),
  /** Last lines of the output of its Python. */
  lines: z.array(z.string()),
});
export type SweepLogsDocument = z.output<typeof sweepLogsDocumentSchema>;

/** The document of `sweep export --json`. */
export const sweepExportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-export@1"),
  directory: z.string(),
  /** Absolute path of the file; null if the table was printed. */
  output: z.string().nullable(),
  trials: z.int().nonnegative(),
  /** The table unless it was written to a file: a row per trial, with values by column. */
  rows: z.array(z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]).nullable())).optional(),
});
export type SweepExportDocument = z.output<typeof sweepExportDocumentSchema>;

/** The document of `sweep cancel --json`. */
export const sweepCancelDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-cancel@1"),
  directory: z.string(),
  /** The stopped process; null if only jobs of a cluster were cancelled. */
  pid: z.int().positive().nullable(),
  /** Cancelled SLURM jobs. */
  jobs: z.array(z.string()).optional(),
});
export type SweepCancelDocument = z.output<typeof sweepCancelDocumentSchema>;

const example = "sweeps/2026-11-25T10-00-00-sigma-1f2e3d4c";

/** `bh-bridge sweep status|logs|export|cancel|retry DIR`, for the directory of a sweep or an experiment. */
export function directoryCommands(): Command[] {
  return [statusCommand(), logsCommand(), exportCommand(), cancelCommand(), retryCommand()];
}

function statusCommand(): Command {
  return createCommand("status", "Show the status of the trials of a sweep or an experiment", `bh-bridge sweep status ${example}`)
    .argument("<dir>", "directory of a sweep or an experiment")
    .action(async (directory: string, _: unknown, command: Command) => {
      const terminal = new Terminal(commonOptions(command));
      const [{ formatSweep }, document] = await Promise.all([import("./format-sweep.js"), readDirectory(directory)]);
      terminal.print(formatSweep(document, terminal.color, terminal));
      terminal.document(document);
    });
}

function logsCommand(): Command {
  return createCommand("logs", "Print the last output of a trial's Python and the reason for its failure", `bh-bridge sweep logs ${example} 51fd351a`)
    .argument("<dir>", "directory of a sweep or an experiment")
    .argument("<trial>", "identity of a trial, or a unique prefix (see: sweep status --json)")
    .option("--lines <n>", "number of lines", parseWhole(1), 40)
    .action(async (directory: string, given: string, { lines }: { lines: number }, command: Command) => {
      const terminal = new Terminal(commonOptions(command));
      const { findTrial } = await import("../../sweep/trial-table.js");
      const { fileTail, lastLines } = await import("../../python/failures.js");
      const { runFiles } = await import("../../runs/run-layout.js");
      const { trialLabel } = await import("../../sweep/plan/trial-label.js");
      const { trial, arm, status, run, reason, set } = findTrial((await readDirectory(directory)).trials, given);
      const output = run === null ? [] : lastLines(fileTail(join(run, runFiles.pythonLog)), lines);
      const document: SweepLogsDocument = { schema: "bh-bridge/sweep-logs@1", trial, status, run, reason, lines: output.filter((line) => line !== "") };
      terminal.document(document);
      terminal.print(`${terminal.color.bold(trial)}  ${status}  ${trialLabel({ arm, set })}`);
      if (reason !== null) terminal.print(reason);
      terminal.print(document.lines.length > 0 ? document.lines.join("\n") : terminal.color.dim("No output from its Python"));
    });
}

function exportCommand(): Command {
  return createCommand(
    "export",
    "Export the table of trials as CSV or Parquet: arm, status, settings, final numbers and run",
    `bh-bridge sweep export ${example} -o trials.parquet`,
  )
    .argument("<dir>", "directory of a sweep or an experiment")
    .option("-o, --output <file>", "new .csv or .parquet file (default: CSV on stdout, rows with --json)")
    .action(async (given: string, { output }: { output?: string }, command: Command) => {
      const terminal = new Terminal(commonOptions(command));
      const format = /\.(csv|parquet)$/.exec(output ?? ".csv")?.[1];
      if (format === undefined) throw new BhBridgeError("USAGE", `-o ${output}: unknown format. Name a file that ends with .csv or .parquet`);
      const [{ csvOfTrials, trialTable, planSettings }, { durableCreateFile }, { trials, directory }] = await Promise.all([
        import("../../sweep/trial-table.js"),
        import("../../formats/durable-write.js"),
        readDirectory(given),
      ]);
      const table = trialTable(trials, planSettings(resolve(given)));
      if (output === undefined) terminal.print(csvOfTrials(table).trimEnd());
      else {
        const bytes = format === "csv" ? Buffer.from(csvOfTrials(table)) : (await import("../../sweep/trial-table.js")).parquetOfTrials(table);
        durableCreateFile(resolve(output), (write) => write(bytes));
        terminal.print(`Written:  ${output}, ${count(trials.length, "trial")}`);
      }
      const document: SweepExportDocument = {
        schema: "bh-bridge/sweep-export@1",
        directory: directory ?? resolve(given),
        output: output === undefined ? null : resolve(output),
        trials: trials.length,
        ...(output === undefined && { rows: table.rows.map((row) => Object.fromEntries(row.map((cell, column) => [table.head[column] ?? "", cell]))) }),
      };
      terminal.document(document);
    });
}

function cancelCommand(): Command {
  return createCommand(
    "cancel",
    "Stop a running sweep or experiment after the current steps, with checkpoints, as Ctrl-C does",
    `bh-bridge sweep cancel ${example}`,
  )
    .argument("<dir>", "directory of a sweep or an experiment")
    .action(async (given: string, _: unknown, command: Command) => {
      const terminal = new Terminal(commonOptions(command));
      const { readPlan } = await import("../../sweep/plan/plan-directory.js");
      const { lockHolder } = await import("../../python/lock-holders.js");
      const { cancelJobs } = await import("../../sweep/executors/executors.js");
      const directory = resolve(given);
      readPlan(directory);
      const cancelled = await cancelJobs(directory);
      if (cancelled.length > 0) return reportJobs(cancelled, directory, terminal);
      const { pid, host } = (await lockHolder(directory)) ?? {};
      if (pid === undefined) throw new BhBridgeError("USAGE", `${directory} is not running: there is nothing to stop`);
      if (host !== null) throw new BhBridgeError("USAGE", `${directory} runs on ${host}: stop it there with the same command`);
      if (pid === 0) throw new BhBridgeError("RUN_LOCKED", `${directory} runs in a process of unknown id: stop it with Ctrl-C`);
      process.kill(pid, "SIGINT");
      terminal.document({ schema: "bh-bridge/sweep-cancel@1", directory, pid } satisfies SweepCancelDocument);
      terminal.print(`Process ${pid} stops after the current steps, with checkpoints`);
      terminal.say(`Continue:  bh-bridge sweep retry ${given}`);
    });
}

/** Report cancelled jobs. The process that follows them notices their end. */
function reportJobs(cancelled: readonly { executor: string; title: string; jobs: readonly string[] }[], directory: string, terminal: Terminal): void {
  const all = cancelled.flatMap(({ jobs }) => jobs);
  terminal.document({ schema: "bh-bridge/sweep-cancel@1", directory, pid: null, jobs: all } satisfies SweepCancelDocument);
  for (const { executor, title, jobs } of cancelled) {
    terminal.print(`${title} ends ${jobs.map((job) => `job ${job}`).join(", ")}; the trials can resume from their checkpoints`);
    terminal.say(`Continue:  bh-bridge sweep retry ${directory} --executor ${executor}`);
  }
}

function retryCommand(): Command {
  const command = createCommand(
    "retry",
    "Continue a sweep or an experiment from its plan, including failed trials",
    `bh-bridge sweep retry ${example} --workers 2`,
  )
    .argument("<dir>", "directory of a sweep or an experiment")
    .addOption(executorOption());
  return addExecutorOptions(command)
    .option("--corpus <file>", "current path of the training text, under its old name; may be repeated for several texts", repeated)
    .option("--workers <n>", "trials to train in parallel (default: one per core; on SLURM 4 per task)")
    .option("--fail-fast", "no further trials after a failure")
    .option("--python <path>", "Python interpreter")
    .option("--dry-run", "list of the trials with status, time, disk and memory, without training")
    .action(async (given: string, _: unknown, command: Command) => {
      const directory = resolve(given);
      const options = { ...command.optsWithGlobals<TrialOptionValues>(), retry: true, out: dirname(directory) };
      await retryInTerminal(directory, options, new Terminal(commonOptions(command)));
    });
}

async function retryInTerminal(directory: string, options: TrialOptionValues, terminal: Terminal): Promise<void> {
  const { planAgain } = await import("../../sweep/plan/plan-experiment.js");
  const { findPlanDirectory } = await import("../../sweep/plan/plan-directory.js");
  const { conductInTerminal } = await import("./conduct-in-terminal.js");
  const { base, question, plan: planned } = planAgain(directory, options.corpus);
  const plan = async (executor: Executor, signal: AbortSignal) => {
    const made = await planned(executor, signal);
    if (findPlanDirectory(options.out, made).same === directory) return made;
    throw new BhBridgeError("USAGE", `${directory} was renamed, or a newer directory has the same plan: retry that one`);
  };
  if (question === null) {
    const [{ concludeSweep }, { formatSweep }] = await Promise.all([import("../../sweep/sweep-summary.js"), import("./format-sweep.js")]);
    const format = (document: SweepDocument) => formatSweep(document, terminal.color, terminal);
    return conductInTerminal({ base, plan, conclude: concludeSweep, format }, options, terminal);
  }
  const [{ concludeQuestion }, { formatExperiment }] = await Promise.all([import("../../sweep/experiment/experiment.js"), import("./format-sweep.js")]);
  const conclude = (made: Plan, python: UsablePython) => concludeQuestion(made, question, python);
  const format = (document: ExperimentDocument) => formatExperiment(document, terminal.color, terminal.width);
  return conductInTerminal({ base, plan, conclude, format }, options, terminal);
}

async function readDirectory(directory: string) {
  const [{ readSweep }, { lockHolders }] = await Promise.all([import("../../sweep/sweep-summary.js"), import("../../python/lock-holders.js")]);
  return readSweep(directory, lockHolders);
}
