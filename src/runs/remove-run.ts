import { lstatSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { recordableTensorSchema, recordableTensors } from "../config/record-schema.js";
import { BhBridgeError } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { manifestSums } from "./checksums.js";
import { checkpointsFolder, historyFile, isHistoryFile, isLaterHistory, modelManifestFile, recordedName, runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";
import type { LockHolders } from "./scan-runs.js";

/** The name under which Node writes a file before it renames it; `durableWrite` makes it. */
const writtenByNode = /^(.+)\.[0-9a-f]{8}\.partial$/;
/** The name under which Python writes a history before it renames it. */
const writtenByPython = /^\.(.+)\.partial$/;
const ownFinal = /^(?:final|\.final\.(?:partial|old))$/;
const ownCheckpoint = /^(?:step-(\d+)|\.step-(\d+)\.(?:partial|old|removed))$/;
/** The files of a saved model and of a checkpoint whose manifest is missing or not written yet. */
const modelFile =
  /^(?:(?:generation_|tokenizer_)?config\.json|model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|modeling_\w+\.py|tokenizer\.json|special_tokens_map\.json)$/;
const stateFile = /^(?:optimizer\.(?:safetensors|json)|random_state\.(?:safetensors|json)|(?:scheduler|trainer_state|progress|fast_step)\.json)$/;
/** The name under which safetensors writes a file before it renames it. */
const writtenBySafetensors = /^\.tmp[A-Za-z0-9]{6}$/;
/** What macOS leaves in every folder that was looked at. */
const finderFile = ".DS_Store";

/** Its history is `history.safetensors`, without its name. */
const embedding = "wte";

const topFiles: readonly string[] = Object.values(runFiles);

type IsOwn = (name: string) => boolean;

/** The first entry of a run directory that is not a part of a run, by its path in it; undefined when all of them are. */
export function foreignEntry(directory: string): string | undefined {
  const recorded = recordedTensors(directory);
  for (const { name, isFolder } of entries(directory)) {
    const inside = isFolder ? foreignInFolder(directory, name) : isOwnFile(name, recorded) ? undefined : "";
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** Whether a file at the top of a run has a name that our writers give, also while it is being written. */
function isOwnFile(name: string, recorded: ReadonlySet<string>): boolean {
  const unfinished = writtenByNode.exec(name)?.[1];
  const history = writtenByPython.exec(name)?.[1];
  if (history !== undefined) return isOwnHistory(history, recorded);
  const whole = unfinished ?? name;
  return topFiles.includes(whole) || isOwnHistory(whole.replace(/\.idx$/, ".safetensors"), recorded);
}

/** Whether a history is of a tensor that the run records, or was recorded later. A copy that somebody made has another name. */
function isOwnHistory(file: string, recorded: ReadonlySet<string>): boolean {
  if (file === historyFile) return true;
  if (!isHistoryFile(file)) return false;
  const tensor = recordedName(file);
  return (recorded.has(tensor) && tensor !== embedding) || (isLaterHistory(file) && recordableTensorSchema.safeParse(tensor).success);
}

/** The tensors that a run records by its configuration; those that every run can record where it cannot be read. */
function recordedTensors(directory: string): ReadonlySet<string> {
  try {
    const { record } = JSON.parse(readFileSync(join(directory, runFiles.config), "utf8")) as { record: { tensors: string[] } };
    return new Set(record.tensors);
  } catch {
    return new Set(recordableTensors);
  }
}

/** As `foreignEntry`, for a folder in the run; an empty path is the folder itself. */
function foreignInFolder(run: string, folder: string): string | undefined {
  if (ownFinal.test(folder)) return foreignFile(join(run, folder), (name) => modelFile.test(name));
  if (folder !== checkpointsFolder) return "";
  for (const { name, isFolder } of entries(join(run, folder))) {
    if (!isFolder || !isCheckpointName(name)) return name;
    const inside = foreignFile(join(run, folder, name), (file) => modelFile.test(file) || stateFile.test(file));
    if (inside !== undefined) return join(name, inside);
  }
  return undefined;
}

/** Whether a folder has the exact name of a checkpoint, or the one that it has while it is made or removed. */
function isCheckpointName(name: string): boolean {
  const [, finished, hidden] = ownCheckpoint.exec(name) ?? [];
  const digits = finished ?? hidden;
  return digits !== undefined && digits === String(Number(digits)).padStart(6, "0");
}

/** The first entry that is not in the manifest of its folder, or, where there is no sound manifest, has no name that our writers give. */
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

/** What a removal takes away: a run, or the symbolic link that leads to one. */
export interface Removal {
  /** Absolute path of the run or of the link. */
  readonly path: string;
  /** The run that a link leads to, which stays. */
  readonly leadsTo: string | undefined;
}

/**
 * See that a directory may be removed: it is a run by its manifest, it holds nothing but the run, and nobody writes it.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` saying what shows that it is not a run, or naming what else is in it; `RUN_LOCKED` naming the process;
 *   `RUN_UNSUPPORTED` for a run of a newer version.
 */
export async function planRemoval(path: string, lockHolders: LockHolders): Promise<Removal> {
  refuseForeign(path);
  if (lstatSync(path).isSymbolicLink()) return { path, leadsTo: realpathSync(path) };
  await refuseLocked(path, path, lockHolders);
  return { path, leadsTo: undefined };
}

/**
 * Remove a run from the disk; never one that is being written, and never anything but the run.
 *
 * It is renamed first: from then on nobody can begin to write it, and a process that did so in the last instant is seen.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_LOCKED`; `FILE_UNWRITABLE`.
 */
export async function removeRun({ path, leadsTo }: Removal, lockHolders: LockHolders): Promise<void> {
  if (leadsTo !== undefined) return removeLink(path);
  const doomed = join(dirname(path), `.${basename(path)}.${process.pid}.removed`);
  try {
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

function removeLink(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    throw writeError(path, cause);
  }
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
  throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is not removed: it holds ${foreign}, which is not a part of a run. Move that elsewhere first`);
}

async function refuseLocked(path: string, name: string, lockHolders: LockHolders): Promise<void> {
  const holder = (await lockHolders([path])).get(path);
  if (holder !== undefined) throw new BhBridgeError("RUN_LOCKED", `${name} is being written by process ${holder}: it is not removed. Stop that process first`);
}
