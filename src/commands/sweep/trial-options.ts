import { type Command, Option } from "commander";
import type { ExecutorOption } from "../../sweep/executors/executor.js";
import { type ExecutorChoice, type ExecutorName, executorKinds, executorNames } from "../../sweep/executors/executors.js";
import { addFieldOptions } from "../config/config-options.js";
import { repeated } from "../terminal/command.js";
import { wholeNumber } from "../terminal/target.js";

type TextOption = "preset" | "config" | "seeds" | "steps" | "lr" | "batchSize" | "device" | "threads" | "python" | "name" | "workers";

/** Values of the options that a sweep and an experiment share. */
export type TrialOptionValues = Partial<Record<TextOption, string>> &
  Partial<Record<"retry" | "failFast" | "serve" | "dryRun", boolean>> & { set?: string[]; corpus?: string[]; executor?: ExecutorName; out: string };

/** Add the options that a sweep and an experiment share. @param out folder that holds their directories. */
export function addTrialOptions(command: Command, out: string): Command {
  const based = command
    .option("-p, --preset <name>", "preset to start from, if the file has no base")
    .option("-c, --config <file>", "configuration file or run directory to start from, if the file has no base")
    .option("--seeds <seeds>", "seeds such as 42..51 or 1,2,5")
    .option("--set <path=value>", "value for all trials; may be repeated", repeated);
  const described = addFieldOptions(based)
    .option("--threads <n>", "CPU threads of each trial (threads; default: 1)")
    .option("--name <text>", "name of the sweep or experiment (default: the file name)")
    .addOption(executorOption());
  return addExecutorOptions(described)
    .option("--workers <n>", "trials to train in parallel (default: one per core; on SLURM 4 per task)")
    .option("--retry", "failed trials as well, from their start")
    .option("--fail-fast", "no further trials after a failure")
    .option("--serve", "local page with the runs while they train (see: bh-bridge serve)")
    .option("--dry-run", "list of the trials with status, time, disk and memory, without training")
    .option("-o, --out <dir>", "folder that holds the directory", out);
}

export function executorOption(): Option {
  return new Option("--executor <name>", "where to train (default: this machine)").choices(executorNames);
}

const executorOptions = () => executorKinds.flatMap(([, { options }]): readonly ExecutorOption[] => options);

export function addExecutorOptions(command: Command, isDiagnosis = false): Command {
  for (const { flags, description, value, isDiagnosed } of executorOptions()) {
    if (isDiagnosis && !isDiagnosed) continue;
    const option = new Option(flags, description);
    command.addOption(value === "texts" ? option.argParser(repeated) : option);
  }
  return command;
}

/**
 * The chosen executor with its options.
 * @param given values of the command's options.
 * @param written the executor that the file names.
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

export function fieldAliases({ corpus, steps, lr, batchSize, device, threads, python }: TrialOptionValues) {
  return { corpus, steps, lr, batchSize, device, threads, python };
}
