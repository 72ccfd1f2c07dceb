import { BhBridgeError } from "../../../errors.js";
import { slugOf } from "../../../runs/create-run-directory.js";
import { shellQuote } from "../../../text/escaping.js";

/** Options of sbatch that the script sets itself, and why. */
const own: Readonly<Record<string, string>> = {
  array: "use --jobs to set the number of tasks",
  "cpus-per-task": "it is --workers times the threads and processes of a trial",
  output: "each task has its log in the folder of the submission",
  error: "each task has its log in the folder of the submission",
  "open-mode": "a requeued task continues its log",
  requeue: "a requeued task continues from its checkpoints",
  "no-requeue": "a requeued task continues from its checkpoints",
  signal: "a task is notified 90 seconds before its end, and writes checkpoints",
  wrap: "bh-bridge submits a script",
  chdir: "all paths are absolute",
  parsable: "bh-bridge reads the answer of sbatch",
};

/**
 * Options of sbatch, each `KEY=VALUE` or `KEY`. Only plain words are accepted, so that no option can become a line or command of the script.
 * @throws {BhBridgeError} `USAGE`.
 */
export function sbatchOptions(given: readonly string[]): [key: string, value: string | undefined][] {
  return given.map((text) => {
    const [key = "", ...rest] = text.split("=");
    const value = rest.length > 0 ? rest.join("=") : undefined;
    if (!/^[a-z][a-z0-9-]*$/.test(key)) throw usage(text, "it must start with the long name of an sbatch option, for example partition=short");
    if (value !== undefined && !/^[\w.,:;%/@=+~^*[\]-]+$/.test(value)) {
      throw usage(text, "a value may contain only letters, digits and . , : ; % / @ = + ~ ^ * [ ] _ -, but no spaces, quotes or line breaks");
    }
    const reason = own[key];
    if (reason !== undefined) throw usage(text, `bh-bridge sets ${key} itself: ${reason}`);
    return [key, value];
  });
}

export function asksForGpus(options: readonly string[]): boolean {
  return options.some((option) => /^(gpus(-per-\w+)?|gres)=/.test(option) && !/^gres=(?!.*gpu)/.test(option));
}

function usage(text: string, problem: string): BhBridgeError {
  return new BhBridgeError("USAGE", `--sbatch-option ${JSON.stringify(text)}: ${problem}`);
}

interface BatchScript {
  /** Of the sweep or experiment. */
  name: string;
  /** Absolute path of the submission's folder. */
  folder: string;
  /** Tasks of the array. */
  tasks: number;
  /** Of each task. */
  cores: number;
  /** Further options of sbatch, `KEY=VALUE`. */
  options: readonly string[];
  /** Program of each task and its first arguments. */
  command: readonly string[];
}

/** A task is notified this long before its end, and writes checkpoints. */
const noticeSeconds = 90;

/**
 * The script for sbatch: a job array whose tasks each train their share of the trials. The program replaces the shell, so that the signal for the batch shell
 * (`B:`) reaches it and no worker.
 * @throws {BhBridgeError} `USAGE` for an invalid option, or a folder name that a script cannot contain.
 */
export function batchScript({ name, folder, tasks, cores, options, command }: BatchScript): string {
  if (/["\\\p{Cc}]/u.test(folder)) throw new BhBridgeError("USAGE", `the path ${JSON.stringify(folder)} cannot be written into a script: choose another --out`);
  const log = `${folder.replaceAll("%", "%%")}/task-%a.log`;
  const lines = [
    `--job-name=bh-${slugOf(name)}`,
    `--array=1-${tasks}`,
    `--cpus-per-task=${cores}`,
    `--output=${log.includes(" ") ? `"${log}"` : log}`,
    "--open-mode=append",
    "--requeue",
    `--signal=B:USR2@${noticeSeconds}`,
    ...sbatchOptions(options).map(([key, value]) => (value === undefined ? `--${key}` : `--${key}=${value}`)),
  ];
  const words = [...command, folder].map(shellQuote).join(" ");
  return ["#!/bin/bash", ...lines.map((line) => `#SBATCH ${line}`), "set -eu", `exec ${words} "$SLURM_ARRAY_TASK_ID"`, ""].join("\n");
}
