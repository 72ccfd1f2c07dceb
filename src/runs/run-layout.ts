import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeCopies } from "../config/own-code.js";
import { BhBridgeError } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { requireFolder, requireRegular } from "./file-types.js";

/** The default folder of runs. */
export const runsFolder = "runs";

/** The files at the top of a run, except its histories: see docs/run-directory.md. */
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
  deltas: "model.deltas",
  deltasIndex: "model.idx",
  checksums: "SHA256SUMS",
  signature: "SHA256SUMS.sig",
} as const;
/** The copies of the user's code, and the other files at the top. */
const topFiles: readonly string[] = [...Object.values(runFiles), ...codeCopies];

/** The history of the embedding. Other histories are named `history.….safetensors`. */
export const historyFile = "history.safetensors";
const histories = /^history(?:\..+)?\.safetensors$/;
const laterHistories = /^history\..+\.\d+-\d+\.safetensors$/;
const indexes = /^history(?:\..+)?\.idx$/;

/** The final model, in Hugging Face's layout. */
export const finalFolder = "final";
export const checkpointsFolder = "checkpoints";
const checkpointNames = /^step-(\d+)$/;
const inFolders = /^(?:final|checkpoints\/step-\d+)\/[^/\\\p{Cc}]+$/u;

/** What experiment trackers wrote of a run, in a folder for each. They may change it later, so no checksum covers it. */
export const trackersFolder = "trackers";
const ofTrackers: Readonly<Record<string, RegExp>> = {
  tensorboard: /^events\.out\.tfevents\./,
  wandb: /^(?:run\.id|(?:offline-)?run-.+|latest-run|debug(?:-\w+)?\.log)$/,
  mlflow: /^(?:run\.id|mlflow\.db(?:-\w+)?|artifacts)$/,
  trackio: /^(?:bh-bridge\.(?:db(?:-\w+)?|lock|hash)|media|artifacts|traces|inbox)$/,
};

/** Whether a tracker writes entries of this name into its folder. */
export function isOfTracker(tracker: string, name: string): boolean {
  return Object.hasOwn(ofTrackers, tracker) && ofTrackers[tracker]?.test(name) === true;
}

/** Sizes and checksums of the files of a checkpoint or of the final model, in its folder. */
export const modelManifestFile = "MANIFEST.json";

/** Whether a directory is a complete or incomplete run of this package. */
export function isRunDirectory(directory: string): boolean {
  return [runFiles.manifest, historyFile].some((name) => existsSync(join(directory, name)));
}

/** A log of another program, which is listed like a run. */
export interface ForeignLog {
  /** `trainer_state.json` of Hugging Face's Trainer, or event files of TensorBoard. */
  readonly kind: "trainer" | "tensorboard";
  /** The folder with the file or the files. */
  readonly folder: string;
  readonly files: readonly string[];
}

export const foreignNames = { trainer: "Hugging Face's Trainer", tensorboard: "TensorBoard" } as const;

const trainerStateFile = "trainer_state.json";
const trainerCheckpoint = /^checkpoint-(\d+)$/;
const eventFile = /^events\.out\.tfevents\./;

/**
 * The log of another program in a directory that is not a run: `trainer_state.json`, in the newest checkpoint if it is not at the top; else event files, which
 * Trainer writes into `runs/NAME`.
 */
export function foreignLog(directory: string): ForeignLog | undefined {
  if (isRunDirectory(directory)) return undefined;
  const names = namesIn(directory);
  const checkpoints = names.filter((name) => trainerCheckpoint.test(name)).sort((left, right) => stepIn(right) - stepIn(left));
  const state = ["", ...checkpoints].map((name) => join(directory, name)).find((folder) => existsSync(join(folder, trainerStateFile)));
  if (state !== undefined) return { kind: "trainer", folder: state, files: [trainerStateFile] };
  const inside = names.includes("runs")
    ? namesIn(join(directory, "runs"))
        .map((name) => join(directory, "runs", name))
        .reverse()
    : [];
  for (const folder of [directory, ...inside]) {
    const files = namesIn(folder).filter((name) => eventFile.test(name));
    if (files.length > 0) return { kind: "tensorboard", folder, files };
  }
  return undefined;
}

function stepIn(checkpoint: string): number {
  return Number(trainerCheckpoint.exec(checkpoint)?.[1]);
}

/** The names in a folder, sorted; none if it cannot be listed. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Whether a file, by its path in a run, is a recorded history, whose states have their checksums in its index. */
export function isHistoryFile(path: string): boolean {
  return histories.test(path);
}

/** The history file of a tensor for steps that were recorded later. */
export function laterHistoryFile(tensor: string, from: number, to: number): string {
  return `history.${tensor}.${from}-${to}.safetensors`;
}

/** Whether a history, by its path in a run, was recorded later. */
export function isLaterHistory(path: string): boolean {
  return laterHistories.test(path);
}

/** The tensor of a history by its name in `record.tensors`, without the steps of one that was recorded later. */
export function recordedName(file: string): string {
  const stored = /^history\.(.+)\.safetensors$/.exec(file)?.[1] ?? "wte";
  return isLaterHistory(file) ? stored.replace(/\.\d+-\d+$/, "") : stored;
}

/** The path of a history's index. */
export function indexPathOf(historyPath: string): string {
  return historyPath.replace(/\.safetensors$/, ".idx");
}

/** Whether a file, by its path in a run, is part of a run. */
export function isRunFile(path: string): boolean {
  return topFiles.includes(path) || isHistoryFile(path) || indexes.test(path) || inFolders.test(path);
}

/** Paths of all files in a run's directory, sorted, including foreign ones. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => isNoDirectory(join(directory, path)))
    .sort();
}

/** Whether a path is not a folder; a broken link is not. */
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

/** The checkpoints of a run and their steps, oldest first; `verifyFiles` checks one. @throws {BhBridgeError} `RUN_CORRUPT` if their path is not a folder. */
export function runCheckpoints(run: string): { readonly directory: string; readonly step: number }[] {
  const folder = join(run, checkpointsFolder);
  requireFolder(folder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const digits = checkpointNames.exec(name)?.[1];
      return digits === undefined ? [] : [{ directory: join(folder, name), step: Number(digits) }];
    })
    .sort((left, right) => left.step - right.step);
}

/**
 * Require that files of a run are files, and that checkpoints and final model are folders.
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
    if (code === "ENOENT") return []; // removed meanwhile
    throw new BhBridgeError("FILE_UNREADABLE", `${directory} cannot be listed: ${code === "EACCES" ? "this user may not read it" : message}`, { cause });
  }
}

/** Ask the process that trains a run to stop after its step with a checkpoint, as Ctrl-C does. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function requestStop(directory: string): void {
  const path = join(directory, runFiles.stop);
  try {
    writeFileSync(path, "", { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(path, cause);
  }
}

/** The default folder of sweeps. */
export const sweepsFolder = "sweeps";
/** The default folder of experiments. */
export const experimentsFolder = "experiments";
