import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The checksums of a run that has ended. */
export const checksumsFileName = "SHA256SUMS";
export const lockFileName = "run.lock";

/** The files at the top of a run, but for its histories. */
export const topFiles: readonly string[] = [
  "run.json",
  "config.json",
  "notes.json",
  lockFileName,
  "events.jsonl",
  "events.torn",
  "python.log",
  "analysis.json",
  "environment.python.json",
  "environment.node.json",
  "repository.patch",
  "callbacks.js.txt",
  checksumsFileName,
];
const ownFolders = /^(?:final|checkpoints\/step-\d+)\/[^/\\\p{Cc}]+$/u;
const history = /^history(?:\..+)?\.safetensors$/;
const historyIndex = /^history(?:\..+)?\.idx$/;

/** Whether a file of a run, by its path in it, is a recorded history: its states have their checksums in the index beside it. */
export function isHistoryFile(path: string): boolean {
  return history.test(path);
}

/** Whether a file, by its path in a run's directory, is one that a run consists of. */
export function isRunFile(path: string): boolean {
  return topFiles.includes(path) || history.test(path) || historyIndex.test(path) || ownFolders.test(path);
}

/** All files in a run's directory by their paths in it, in order: those of the run, and whatever else somebody put there. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(directory, path), { throwIfNoEntry: false })?.isDirectory() === false)
    .sort();
}
