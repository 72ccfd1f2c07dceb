import { type Command, Option } from "commander";
import { BhBridgeError } from "../../errors.js";
import type { ExecutorOption } from "../../sweep/executors/executor.js";
import { type ExecutorChoice, type ExecutorName, executorKinds, executorNames } from "../../sweep/executors/executors.js";
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
    .addOption(executorOption());
  return addExecutorOptions(described)
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

const executorOptions = () => executorKinds.flatMap(([, { options }]): readonly ExecutorOption[] => options);

/** Add the options that belong to one executor. @param isDiagnosis only those that `doctor` takes too. */
export function addExecutorOptions(command: Command, isDiagnosis = false): Command {
  for (const { flags, description, value, isDiagnosed } of executorOptions()) {
    if (isDiagnosis && !isDiagnosed) continue;
    const option = new Option(flags, description);
    command.addOption(value === "texts" ? option.argParser(repeated) : option);
  }
  return command;
}

/**
 * The executor to train with, and its options.
 *
 * @param given the options of a command, as commander gives them.
 * @param written the executor that the file of the trials names.
 * @throws {BhBridgeError} `CONFIG_INVALID`, `FILE_NOT_FOUND`, `USAGE`.
 */
export async function choiceOf(given: { executor?: ExecutorName }, written: ExecutorName | undefined): Promise<ExecutorChoice> {
  const values: Record<string, unknown> = { ...given };
  const fields = await Promise.all(executorOptions().map(async (option) => [option.field, await chosenValue(option, values)] as const));
  return { ...Object.fromEntries(fields), executor: given.executor ?? written };
}

async function chosenValue({ flags, value }: ExecutorOption, values: Readonly<Record<string, unknown>>): Promise<unknown> {
  const option = new Option(flags);
  const given = values[option.attributeName()];
  if (typeof given !== "string") return given;
  if (value === "number") return wholeNumber(option.long ?? flags, given);
  if (value !== "object") return given;
  const { readWrittenObject } = await import("../../config/read-config-file.js");
  return (await readWrittenObject(given, process.cwd(), { what: "a runtime environment", definedBy: "" })).values;
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
