import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { requireFolder, requireRegular } from "./file-types.js";

/** The folder that holds the runs, where no other is named. */
export const runsFolder = "runs";

/** The files at the top of a run, but for its histories; docs/run-directory.md says what is in each. */
export const runFiles = {
  manifest: "run.json",
  config: "config.json",
  notes: "notes.json",
  lock: "run.lock",
  stop: "stop.request",
  events: "events.jsonl",
  tornEvents: "events.torn",
  pythonLog: "python.log",
  analysis: "analysis.json",
  pythonEnvironment: "environment.python.json",
  nodeEnvironment: "environment.node.json",
  patch: "repository.patch",
  callbacks: "callbacks.js.txt",
  tokenizer: "tokenizer.json",
  checksums: "SHA256SUMS",
} as const;
const topFiles: readonly string[] = Object.values(runFiles);

/** The history of the embedding. Those of its gradient and moments are called `history.….safetensors`. */
export const historyFile = "history.safetensors";
const histories = /^history(?:\..+)?\.safetensors$/;
const laterHistories = /^history\..+\.\d+-\d+\.safetensors$/;
const indexes = /^history(?:\..+)?\.idx$/;

/** The model at the end, in Hugging Face's layout. */
export const finalFolder = "final";
export const checkpointsFolder = "checkpoints";
const checkpointNames = /^step-(\d+)$/;
const inFolders = /^(?:final|checkpoints\/step-\d+)\/[^/\\\p{Cc}]+$/u;

/** The sizes and checksums of the files of a checkpoint, or of the final model, which it lies beside. */
export const modelManifestFile = "MANIFEST.json";

/** Whether a directory is a run of this package, or began to be one. */
export function isRunDirectory(directory: string): boolean {
  return [runFiles.manifest, historyFile].some((name) => existsSync(join(directory, name)));
}

/** Whether a file of a run, by its path in it, is a recorded history: its states have their checksums in the index beside it. */
export function isHistoryFile(path: string): boolean {
  return histories.test(path);
}

/** The file of steps of a tensor that were recorded later. */
export function laterHistoryFile(tensor: string, from: number, to: number): string {
  return `history.${tensor}.${from}-${to}.safetensors`;
}

/** Whether a history by its path in a run was recorded later. */
export function isLaterHistory(path: string): boolean {
  return laterHistories.test(path);
}

/** The tensor that a recorded history is of, as `record.tensors` calls it, also of one that was recorded later. */
export function recordedName(file: string): string {
  const stored = /^history\.(.+)\.safetensors$/.exec(file)?.[1] ?? "wte";
  return isLaterHistory(file) ? stored.replace(/\.\d+-\d+$/, "") : stored;
}

/** The index that lies beside a recorded history. */
export function indexPathOf(historyPath: string): string {
  return historyPath.replace(/\.safetensors$/, ".idx");
}

/** Whether a file, by its path in a run's directory, is one that a run consists of. */
export function isRunFile(path: string): boolean {
  return topFiles.includes(path) || isHistoryFile(path) || indexes.test(path) || inFolders.test(path);
}

/** All files in a run's directory by their paths in it, in order: those of the run, and whatever else somebody put there. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => isNoDirectory(join(directory, path)))
    .sort();
}

/** Whether something other than a folder is at a path; a link that cannot be followed is. */
function isNoDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return true;
  }
}

/** The files of a run that hold a recorded history, in alphabetical order. */
export function historyFiles(directory: string): string[] {
  return readdirSync(directory).filter(isHistoryFile).sort();
}

/** The step of a checkpoint by the name of its folder; nothing where the name is another. */
function stepOfCheckpoint(name: string): number | undefined {
  const digits = checkpointNames.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A checkpoint that a run has; whether it is whole is for `verifyFiles` to say. */
interface RunCheckpoint {
  readonly directory: string;
  /** The step that it was made at. */
  readonly step: number;
}

/** The checkpoints of a run, oldest first. @throws {BhBridgeError} `RUN_CORRUPT` where something else than a folder is in their place. */
export function runCheckpoints(run: string): RunCheckpoint[] {
  const folder = join(run, checkpointsFolder);
  requireFolder(folder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const step = stepOfCheckpoint(name);
      return step === undefined ? [] : [{ directory: join(folder, name), step }];
    })
    .sort((left, right) => left.step - right.step);
}

/**
 * Make sure that the entries of a run's directory are of the kinds that a run has there: files where it has files, folders for checkpoints and final model.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the first that is not; `FILE_UNREADABLE` for a directory that cannot be listed.
 */
export function requireRunEntries(directory: string): void {
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.name === finalFolder || entry.name === checkpointsFolder) {
      if (!entry.isDirectory()) requireFolder(path);
    } else if (isRunFile(entry.name) && !entry.isFile()) requireRegular(path);
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return []; // it was removed meanwhile
    throw new BhBridgeError("FILE_UNREADABLE", `${directory} cannot be listed: ${code === "EACCES" ? "this user may not read it" : message}`, { cause });
  }
}

/** Ask a training to end after its step, with a checkpoint, as Ctrl-C does; whoever trains the run heeds it. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function requestStop(directory: string): void {
  const path = join(directory, runFiles.stop);
  try {
    writeFileSync(path, "", { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(path, cause);
  }
}

/** The folder that holds sweeps, where nobody says another. */
export const sweepsFolder = "sweeps";
/** The folder that holds experiments, likewise. */
export const experimentsFolder = "experiments";
