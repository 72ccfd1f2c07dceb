import { lstatSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../config/own-code.js";
import { recordableTensorSchema, recordableTensors } from "../config/record-schema.js";
import { BhBridgeError } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { manifestSums } from "./checksums.js";
import { requireOwnRun } from "./read-run-json.js";
import {
  checkpointsFolder,
  historyFile,
  isHistoryFile,
  isLaterHistory,
  isOfTracker,
  modelManifestFile,
  recordedName,
  runFiles,
  trackersFolder,
} from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";
import type { LockHolders } from "./scan-runs.js";

/** Temporary name of `durableWrite`. */
const writtenByNode = /^(.+)\.[0-9a-f]{8}\.partial$/;
/** Python's temporary name of a history. */
const writtenByPython = /^\.(.+)\.partial$/;
const ownFinal = /^(?:final|\.final\.(?:partial|old))$/;
const ownCheckpoint = /^(?:step-(\d+)|\.step-(\d+)\.(?:partial|old|removed))$/;
/** Files of a saved model and of a checkpoint without a manifest. */
const modelFile =
  /^(?:(?:generation_|tokenizer_)?config\.json|model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|modeling_\w+\.py|tokenizer\.json|special_tokens_map\.json)$/;
const stateFile = /^(?:optimizer\.(?:safetensors|json)|random_state\.(?:safetensors|json)|(?:scheduler|trainer_state|progress|fast_step)\.json)$/;
/** Temporary name of the safetensors library. */
const writtenBySafetensors = /^\.tmp[A-Za-z0-9]{6}$/;
/** Created by macOS in every viewed folder. */
const finderFile = ".DS_Store";

/** Its history is `history.safetensors`, without the tensor's name. */
const embedding = "wte";

const topFiles: readonly string[] = Object.values(runFiles);

type IsOwn = (name: string) => boolean;

/** The path of the first entry of a run directory that is not part of a run, undefined if there is none. */
export function foreignEntry(directory: string): string | undefined {
  const recorded = recordedIn(directory);
  for (const { name, isFolder } of entries(directory)) {
    const inside = isFolder ? foreignInFolder(directory, name) : isOwnFile(name, recorded) ? undefined : "";
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** Whether a file at the top of a run has a name that bh-bridge uses, or the temporary name of one. */
function isOwnFile(name: string, { tensors, code }: Recorded): boolean {
  const unfinished = writtenByNode.exec(name)?.[1];
  const history = writtenByPython.exec(name)?.[1];
  if (history !== undefined) return isOwnHistory(history, tensors);
  const whole = unfinished ?? name;
  return topFiles.includes(whole) || code.has(whole) || isOwnHistory(whole.replace(/\.idx$/, ".safetensors"), tensors);
}

/** Whether a history is of a tensor that the run records, or was recorded later. */
function isOwnHistory(file: string, recorded: ReadonlySet<string>): boolean {
  if (file === historyFile) return true;
  if (!isHistoryFile(file)) return false;
  const tensor = recordedName(file);
  return (recorded.has(tensor) && tensor !== embedding) || (isLaterHistory(file) && recordableTensorSchema.safeParse(tensor).success);
}

/** What a run records by its configuration: tensors, and copies of the user's code. */
interface Recorded {
  tensors: ReadonlySet<string>;
  code: ReadonlySet<string>;
}

/** What a run records; all recordable tensors and no code if its configuration cannot be read. */
function recordedIn(directory: string): Recorded {
  try {
    const config = JSON.parse(readFileSync(join(directory, runFiles.config), "utf8")) as { record: { tensors: string[] } };
    return { tensors: new Set(config.record.tensors), code: new Set(Object.keys(codeOf(config))) };
  } catch {
    return { tensors: new Set(recordableTensors), code: new Set() };
  }
}

/** As `foreignEntry`, for a folder in the run; an empty path stands for the folder. */
function foreignInFolder(run: string, folder: string): string | undefined {
  if (ownFinal.test(folder)) return foreignFile(join(run, folder), (name) => modelFile.test(name));
  if (folder === trackersFolder) return foreignOfTrackers(join(run, folder));
  if (folder !== checkpointsFolder) return "";
  for (const { name, isFolder } of entries(join(run, folder))) {
    if (!isFolder || !isCheckpointName(name)) return name;
    const inside = foreignFile(join(run, folder, name), (file) => modelFile.test(file) || stateFile.test(file));
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

function foreignOfTrackers(folder: string): string | undefined {
  for (const { name: tracker, isFolder } of entries(folder)) {
    if (!isFolder) return tracker;
    const found = entries(join(folder, tracker)).find(({ name }) => !isOfTracker(tracker, name));
    if (found !== undefined) return join(tracker, found.name);
  }
  return undefined;
}

/** Whether a folder has the name of a checkpoint, or its temporary name. */
function isCheckpointName(name: string): boolean {
  const [, finished, hidden] = ownCheckpoint.exec(name) ?? [];
  const digits = finished ?? hidden;
  return digits !== undefined && digits === String(Number(digits)).padStart(6, "0");
}

/** The first entry that is not in the manifest of its folder; without a valid manifest, the first with an unknown name. */
function foreignFile(directory: string, isKnown: IsOwn): string | undefined {
  const listed = manifestSums(directory);
  const isOwn: IsOwn = (name) => name === modelManifestFile || writtenBySafetensors.test(name) || (listed.size > 0 ? listed.has(name) : isKnown(name));
  return entries(directory).find(({ name, isFolder }) => isFolder || !isOwn(name))?.name;
}

function entries(directory: string): { name: string; isFolder: boolean }[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== finderFile)
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}

/** The removal of a run, or of a symbolic link to one. */
export interface Removal {
  /** Absolute path of the run or of the link. */
  readonly path: string;
  /** The target of a link, which is not removed. */
  readonly leadsTo: string | undefined;
}

/**
 * Check that a directory may be removed: it has a run's manifest, contains nothing but the run, and no process writes it.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` with the reason why it is not a run, or naming other content; `RUN_LOCKED` naming the process; `RUN_UNSUPPORTED`
 *   for a run of a newer version.
 */
export async function planRemoval(path: string, lockHolders: LockHolders): Promise<Removal> {
  requireOwnRun(path);
  refuseForeign(path);
  if (lstatSync(path).isSymbolicLink()) return { path, leadsTo: realpathSync(path) };
  await refuseLocked(path, path, lockHolders);
  return { path, leadsTo: undefined };
}

/**
 * Remove a run from the disk. A run that is being written, and other files, are never removed.
 *
 * The run is renamed first, so that no process can start writing it, and one that has just started is detected.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_LOCKED`; `FILE_UNWRITABLE`.
 */
export async function removeRun({ path, leadsTo }: Removal, lockHolders: LockHolders): Promise<void> {
  const doomed = join(dirname(path), `.${basename(path)}.${process.pid}.removed`);
  try {
    if (leadsTo !== undefined) return unlinkSync(path);
    renameSync(path, doomed);
  } catch (cause) {
    throw writeError(path, cause);
  }
  try {
    refuseForeign(doomed);
    await refuseLocked(doomed, path, lockHolders);
  } catch (error) {
    renameSync(doomed, path);
    throw error;
  }
  rmSync(doomed, { recursive: true, force: true });
}

function refuseForeign(directory: string): void {
  try {
    readRunManifest(directory);
  } catch (cause) {
    if (!(cause instanceof BhBridgeError) || cause.code === "RUN_UNSUPPORTED") throw cause;
    throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is not removed, since nothing shows that it is a run: ${cause.message}`, { cause });
  }
  const foreign = foreignEntry(directory);
  if (foreign === undefined) return;
  throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is not removed: it holds ${foreign}, which is not a part of a run. Move it elsewhere first`);
}

async function refuseLocked(path: string, name: string, lockHolders: LockHolders): Promise<void> {
  const holder = (await lockHolders([path])).get(path);
  if (holder !== undefined) throw new BhBridgeError("RUN_LOCKED", `${name} is being written by process ${holder}: it is not removed. Stop that process first`);
}
