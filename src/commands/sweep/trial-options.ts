import { type Command, Option } from "commander";
import { BhBridgeError } from "../../errors.js";
import type { ExecutorChoice } from "../../sweep/executors/choose-executor.js";
import { type ExecutorName, executorNames } from "../../sweep/executors/executor-names.js";
import { repeated } from "../terminal/command.js";

/** What is said of many runs beside what varies, as commander gives it. */
export interface TrialOptionValues {
  preset?: string;
  config?: string;
  seeds?: string;
  set?: string[];
  corpus?: string[];
  steps?: string;
  lr?: string;
  batchSize?: string;
  device?: string;
  threads?: string;
  python?: string;
  name?: string;
  workers?: string;
  executor?: ExecutorName;
  address?: string;
  runtimeEnv?: string;
  sbatchOption?: string[];
  jobs?: string;
  emitOnly?: boolean;
  detach?: boolean;
  dryRun?: boolean;
  retry?: boolean;
  failFast?: boolean;
  serve?: boolean;
  out: string;
}

/** Add the options that a sweep and an experiment share. @param out folder that holds their directories. */
export function addTrialOptions(command: Command, out: string): Command {
  const described = command
    .option("-p, --preset <name>", "what the trials start from, where the file has no base: a preset")
    .option("-c, --config <file>", "likewise: a configuration file, or a run directory")
    .option("--seeds <seeds>", "seeds: 42..51, or 1,2,5")
    .addOption(new Option("--set <path=value>", "value that all trials have; may be repeated").argParser(repeated))
    .addOption(new Option("--corpus <file>", "text to train on; several, each with as many windows, when repeated (data.corpus)").argParser(repeated))
    .option("--steps <n>", "optimizer steps (training.max_steps)")
    .option("--lr <rate>", "learning rate (training.learning_rate)")
    .option("--batch-size <n>", "windows in a batch (training.per_device_train_batch_size)")
    .option("--device <name>", "auto, cpu, cuda, cuda:N or mps (device)")
    .option("--threads <n>", "CPU threads of each trial (threads); 1 when left out")
    .option("--python <path>", "Python interpreter (python)")
    .option("--name <text>", "name of the sweep or experiment (default: the file name)")
    .addOption(executorOption())
    .addOption(addressOption())
    .addOption(runtimeEnvOption());
  return addSlurmOptions(described)
    .option("--workers <n>", "trials to train in parallel (default: one per core; on SLURM 4 per task)")
    .option("--retry", "train failed trials again")
    .option("--fail-fast", "start no further trials after one has failed")
    .option("--serve", "show the runs on a page of this machine while they train, as `bh-bridge serve` does, and print its address")
    .option("--dry-run", "list the trials with their status, and estimate time, disk and memory, without training")
    .option("-o, --out <dir>", "folder that holds the directory", out);
}

/** `--executor`: where the trials are trained. */
export function executorOption(): Option {
  return new Option("--executor <name>", "where the trials are trained; this machine when left out").choices(executorNames);
}

/** `--address`: which cluster. */
export function addressOption(): Option {
  return new Option("--address <url>", "of --executor ray: the cluster's dashboard (default: RAY_API_SERVER_ADDRESS, RAY_ADDRESS or http://127.0.0.1:8265)");
}

/** `--runtime-env`: what the cluster prepares. */
export function runtimeEnvOption(): Option {
  return new Option(
    "--runtime-env <file>",
    "of --executor ray: JSON or YAML file with what Ray makes on each node beside the package: pip, conda, env_vars, …",
  );
}

/** `--sbatch-option`: what jobs are submitted with. */
export function sbatchOption(): Option {
  return new Option("--sbatch-option <key=value>", "of --executor slurm: option of sbatch, for example partition=short; may be repeated").argParser(repeated);
}

/** Add what is said of `--executor slurm` alone. */
export function addSlurmOptions(command: Command): Command {
  return command
    .addOption(sbatchOption())
    .option("--jobs <n>", "of --executor slurm: tasks of the job array, each with --workers trials side by side")
    .option("--emit-only", "of --executor slurm: write the script for sbatch, and submit nothing")
    .option("--detach", "of --executor slurm: submit, and leave; the same command again follows the trials");
}

/** Where the trials are trained. @param written what the file of the trials says. @throws {BhBridgeError} `CONFIG_INVALID`, `FILE_NOT_FOUND`. */
export async function choiceOf(options: Omit<TrialOptionValues, "out">, written: ExecutorName | undefined): Promise<ExecutorChoice> {
  const { executor = written, address, runtimeEnv, sbatchOption, emitOnly, detach } = options;
  const { readWrittenObject } = await import("../../config/read-config-file.js");
  const read = runtimeEnv === undefined ? undefined : await readWrittenObject(runtimeEnv, process.cwd(), { what: "a runtime environment", definedBy: "" });
  return { executor, address, runtimeEnv: read?.values, sbatchOptions: sbatchOption, jobs: wholeNumber("--jobs", options.jobs), emitOnly, detach };
}

/** The short options that stand for fields of the configuration. */
export function fieldAliases({ corpus, steps, lr, batchSize, device, threads, python }: TrialOptionValues) {
  return { corpus, steps, lr, batchSize, device, threads, python };
}

/** The number of `--workers`. @throws {BhBridgeError} `USAGE`. */
export function workersOf({ workers }: TrialOptionValues): number | undefined {
  return wholeNumber("--workers", workers);
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new BhBridgeError("USAGE", `${option} takes a whole number above 0, not "${text}"`);
  return value;
}
