import { type Dirent, existsSync, readdirSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { nearestName } from "../config/config-invalid.js";
import { BhBridgeError } from "../errors.js";
import { hasTakenStep } from "./read-events.js";
import { historyFile, runFiles } from "./run-layout.js";
import { type RunManifest, readRunManifest, type StoredStatus } from "./run-manifest.js";

/** `running`: its lock is held. `interrupted`: it says that it runs, and nobody holds its lock. `corrupt`: it cannot be read. */
export const runStatuses = ["running", "interrupted", "completed", "stopped", "failed", "corrupt"] as const;
type RunStatus = (typeof runStatuses)[number];

/** A run as it is found on disk. */
export interface FoundRun {
  /** Absolute path. */
  directory: string;
  /** Name of the directory. */
  id: string;
  status: RunStatus;
  /** Absent when it is corrupt. */
  manifest: RunManifest | undefined;
  /** What makes it corrupt. */
  problem: string | undefined;
  /** Process that writes it, while it is running. */
  pid: number | undefined;
}

/** Says which run directories are locked, and by which process. */
export type LockHolders = (directories: readonly string[]) => Promise<ReadonlyMap<string, number>>;

/** For whoever does not care which runs are being written: asking takes a process. */
export const noLockHolders: LockHolders = async () => new Map();

/** A directory with one of these began as a run. */
const signs = [runFiles.manifest, runFiles.config, historyFile];

/**
 * The runs in a folder, oldest first. A folder that does not exist holds none.
 * @param manifestOf how a manifest is read: from the disk, unless whoever looks again and again keeps what has not changed.
 * @throws {BhBridgeError} `FILE_UNREADABLE`.
 */
export async function scanRuns(out: string, lockHolders: LockHolders, manifestOf = readRunManifest): Promise<FoundRun[]> {
  const runs = runDirectories(resolve(out)).map((directory) => readOrProblem(directory, manifestOf));
  const holders = await holdersOf(runs, lockHolders);
  return runs.map((run) => foundRun(run, holders));
}

/** What one run directory is, whatever state it is in; `manifestOf` as for `scanRuns`. */
export async function findRun(directory: string, lockHolders: LockHolders, manifestOf = readRunManifest): Promise<FoundRun> {
  const run = readOrProblem(resolve(directory), manifestOf);
  return foundRun(run, await holdersOf([run], lockHolders));
}

/**
 * The runs that did not get to their end, newest first: killed, failed, or stopped by a signal. One that a decider stopped has ended as it was meant to, and
 * one that took no step has nothing to go on with.
 */
export function unfinishedRuns(runs: readonly FoundRun[]): FoundRun[] {
  return runs
    .filter(({ status, manifest }) => status === "interrupted" || status === "failed" || (status === "stopped" && manifest?.reason !== "decider"))
    .filter(hasSteps)
    .sort((left, right) => (right.manifest?.created ?? "").localeCompare(left.manifest?.created ?? ""));
}

function hasSteps({ directory }: FoundRun): boolean {
  try {
    return hasTakenStep(directory);
  } catch (error) {
    if (error instanceof BhBridgeError) return false; // a run with a damaged log cannot go on
    throw error;
  }
}

/** What the files of a run say, before anybody is asked who writes it. */
type ReadRun = Pick<FoundRun, "directory" | "manifest" | "problem">;

/** A resumed run may have been completed or failed before: only its lock tells, so all but the unreadable are asked for. */
function holdersOf(runs: readonly ReadRun[], lockHolders: LockHolders): ReturnType<LockHolders> {
  return lockHolders(runs.filter(({ manifest }) => manifest !== undefined).map(({ directory }) => directory));
}

function foundRun(run: ReadRun, holders: ReadonlyMap<string, number>): FoundRun {
  const pid = holders.get(run.directory);
  return { ...run, id: basename(run.directory), status: statusOf(run.manifest?.status, pid), pid };
}

function statusOf(stored: StoredStatus | undefined, pid: number | undefined): RunStatus {
  if (stored === undefined) return "corrupt";
  if (pid !== undefined) return "running";
  return stored === "running" ? "interrupted" : stored;
}

function readOrProblem(directory: string, manifestOf: typeof readRunManifest): ReadRun {
  try {
    return { directory, manifest: manifestOf(directory), problem: undefined };
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    return { directory, manifest: undefined, problem: error.message };
  }
}

function runDirectories(out: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(out, { withFileTypes: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    const reasons: Record<string, string> = { ENOTDIR: "it is a file, or a part of its path is one", EACCES: "it may not be read" };
    throw new BhBridgeError("FILE_UNREADABLE", `${out} cannot hold runs: ${reasons[code ?? ""] ?? message}. Give a folder with --out`, { cause });
  }
  return entries
    .filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => join(out, entry.name))
    .filter((directory) => signs.some((sign) => existsSync(join(directory, sign))))
    .sort();
}

/**
 * The run that is meant by a path, a name, or the beginning of one that no other run shares.
 * @param given path of a run directory; else, among the runs in `out`: directory name, display name, or a prefix of either.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` naming the nearest; `USAGE` when several are meant, naming them.
 */
export async function resolveRun(given: string, out: string, lockHolders: LockHolders): Promise<FoundRun> {
  if (given.includes(sep) || existsSync(join(given, runFiles.manifest))) {
    if (!existsSync(given)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${resolve(given)}: no such directory`);
    return findRun(given, lockHolders);
  }
  const runs = await scanRuns(out, lockHolders);
  const matches = [
    ({ id }: FoundRun) => id === given,
    ({ manifest }: FoundRun) => manifest?.name === given,
    ({ id, manifest }: FoundRun) => id.startsWith(given) || manifest?.name.startsWith(given) === true,
    ({ manifest }: FoundRun) => given.length >= shortestHash && manifest?.config_hash.startsWith(given) === true,
  ];
  const found = matches.map((isMeant) => runs.filter(isMeant)).find((those) => those.length > 0) ?? [];
  const [run, ...others] = found;
  if (!run) throw notFound(given, out, runs);
  if (others.length > 0) {
    const names = found.map(({ id }) => id).join(", ");
    throw new BhBridgeError("USAGE", `"${given}" is the beginning of ${found.length} runs in ${resolve(out)}: ${names}. Give more of the name`);
  }
  return run;
}

/** The directory of the run that is meant, whatever state the run is in. @throws {BhBridgeError} as `resolveRun`. */
export async function directoryOfRun(given: string, out: string): Promise<string> {
  return (await resolveRun(given, out, noLockHolders)).directory;
}

/** The beginning of a hash that is worth looking for. */
const shortestHash = 4;

function notFound(given: string, out: string, runs: readonly FoundRun[]): BhBridgeError {
  const near = nearestName(
    given,
    runs.map(({ id }) => id),
  );
  const hint = near === undefined ? `See "bh-bridge runs --out ${out}"` : `Did you mean ${near}?`;
  return new BhBridgeError("RUN_NOT_FOUND", `there is no run "${given}" in ${resolve(out)}. ${hint}`);
}
