import { BhBridgeError } from "../../../errors.js";
import { slugOf } from "../../../runs/run-name.js";
import { shellQuote } from "../../../text/shell-quote.js";
import { sbatchOptions } from "./sbatch-options.js";

/** What a script for sbatch is made of. */
interface BatchScript {
  /** Of the sweep or experiment. */
  name: string;
  /** Absolute path of the submission's folder. */
  folder: string;
  /** Tasks of the array. */
  tasks: number;
  /** Cores of each task. */
  cores: number;
  /** Further options of sbatch, `KEY=VALUE`. */
  options: readonly string[];
  /** What each task runs: a program, and its first arguments. */
  command: readonly string[];
}

/** So many seconds before its end a task is told, and ends with checkpoints. */
const noticeSeconds = 90;

/**
 * The script that sbatch takes: an array whose tasks each train their share of the trials.
 *
 * The shell is replaced by the program, so that the signal for the batch shell alone (`B:`) reaches it, and no worker.
 *
 * @throws {BhBridgeError} `USAGE` for an option that cannot be given, or a folder that cannot be written into a script.
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
