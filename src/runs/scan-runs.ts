import { type Dirent, existsSync, readdirSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { nearestName } from "../config/config-invalid.js";
import { BhBridgeError, withFallback } from "../errors.js";
import { hasTakenStep } from "./read-events.js";
import { foreignLog, historyFile, runFiles } from "./run-layout.js";
import { type RunManifest, readRunManifest } from "./run-manifest.js";

/** `running`: its lock is held, or about to be taken. `interrupted`: its lock is not held, but its end is not recorded. `corrupt`: it cannot be read. `foreign`: a log of another program. */
export const runStatuses = ["running", "interrupted", "completed", "stopped", "failed", "corrupt", "foreign"] as const;
type RunStatus = (typeof runStatuses)[number];

/** A run on disk. */
export interface FoundRun {
  /** Absolute path. */
  directory: string;
  /** Name of the directory. */
  id: string;
  status: RunStatus;
  /** Undefined if corrupt or foreign. */
  manifest: RunManifest | undefined;
  /** Why it is corrupt. */
  problem: string | undefined;
  /** Process that writes it, while it is running. */
  pid: number | undefined;
}

/** Reports the locked run directories and their processes. */
export type LockHolders = (directories: readonly string[]) => Promise<ReadonlyMap<string, number>>;

/** Skips the query of locks, which starts a process. */
export const noLockHolders: LockHolders = async () => new Map();

/** A directory with one of these is a run. */
const signs = [runFiles.manifest, runFiles.config, historyFile];

/**
 * The runs in a folder, oldest first; none if the folder does not exist.
 * @param manifestOf reads a manifest; repeated scans can pass a cache.
 * @throws {BhBridgeError} `FILE_UNREADABLE`.
 */
export async function scanRuns(out: string, lockHolders: LockHolders, manifestOf = readRunManifest): Promise<FoundRun[]> {
  const runs = runDirectories(resolve(out)).map((directory) => readOrProblem(directory, manifestOf));
  const holders = await holdersOf(runs, lockHolders);
  return runs.map((run) => foundRun(run, holders));
}

/** The logs of other programs in a folder, by name. */
export function scanForeign(out: string): FoundRun[] {
  const folders = entriesOf(resolve(out)).filter((directory) => !signs.some((sign) => existsSync(join(directory, sign))));
  return folders.flatMap((directory) => foundForeign(directory) ?? []);
}

function foundForeign(directory: string): FoundRun | undefined {
  if (foreignLog(directory) === undefined) return undefined;
  return { directory, id: basename(directory), status: "foreign", manifest: undefined, problem: undefined, pid: undefined };
}

/** One run directory in any state, or a log of another program. @param manifestOf as for `scanRuns`. */
export async function findRun(directory: string, lockHolders: LockHolders, manifestOf = readRunManifest): Promise<FoundRun> {
  const foreign = foundForeign(resolve(directory));
  if (foreign !== undefined) return foreign;
  const run = readOrProblem(resolve(directory), manifestOf);
  return foundRun(run, await holdersOf([run], lockHolders));
}

/** The runs to resume, newest first: killed, failed, or stopped by a signal, but not by a decider. Runs without a step are excluded. */
export function unfinishedRuns(runs: readonly FoundRun[]): FoundRun[] {
  return runs
    .filter(({ status, manifest }) => status === "interrupted" || status === "failed" || (status === "stopped" && manifest?.reason !== "decider"))
    .filter(hasSteps)
    .sort((left, right) => (right.manifest?.created ?? "").localeCompare(left.manifest?.created ?? ""));
}

function hasSteps({ directory }: FoundRun): boolean {
  return withFallback(
    () => hasTakenStep(directory),
    () => false, // a run with a damaged log cannot be resumed
  );
}

/** A run by its files alone. */
type ReadRun = Pick<FoundRun, "directory" | "manifest" | "problem">;

/** All locks are queried except those of unreadable runs, since a completed or failed run may have been resumed. */
function holdersOf(runs: readonly ReadRun[], lockHolders: LockHolders): ReturnType<LockHolders> {
  return lockHolders(runs.filter(({ manifest }) => manifest !== undefined).map(({ directory }) => directory));
}

function foundRun(run: ReadRun, holders: ReadonlyMap<string, number>): FoundRun {
  const pid = holders.get(run.directory);
  return { ...run, id: basename(run.directory), status: statusOf(run, pid), pid };
}

function statusOf({ directory, manifest }: ReadRun, pid: number | undefined): RunStatus {
  if (manifest === undefined) return "corrupt";
  if (pid !== undefined) return "running";
  if (manifest.status !== "running") return manifest.status;
  return isStarting(directory, manifest) ? "running" : "interrupted";
}

/** Time from the making of a run directory to its lock, on a busy machine. */
const startingMs = 30_000;

/** Whether a run was made just now, so that its process may not have taken the lock yet. */
function isStarting(directory: string, { created }: RunManifest): boolean {
  const isNew = Math.abs(Date.now() - Date.parse(created)) < startingMs;
  return isNew && [runFiles.lock, runFiles.events].every((name) => !existsSync(join(directory, name)));
}

function readOrProblem(directory: string, manifestOf: typeof readRunManifest): ReadRun {
  return withFallback<ReadRun>(
    () => ({ directory, manifest: manifestOf(directory), problem: undefined }),
    ({ message }) => ({ directory, manifest: undefined, problem: message }),
  );
}

function runDirectories(out: string): string[] {
  return entriesOf(out).filter((directory) => signs.some((sign) => existsSync(join(directory, sign))));
}

/** The folders in a folder, and links to some, sorted; none if it does not exist. */
function entriesOf(out: string): string[] {
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
    .sort();
}

/**
 * Find a run by its path, its name, or a unique prefix.
 * @param given path of a run directory; else, among the runs in `out`: directory name, display name, or a prefix of either.
 * @throws {BhBridgeError} `RUN_NOT_FOUND` naming the nearest; `USAGE` naming all runs if several match.
 */
export async function resolveRun(given: string, out: string, lockHolders: LockHolders): Promise<FoundRun> {
  if (given.includes(sep) || existsSync(join(given, runFiles.manifest))) {
    if (!existsSync(given)) throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${resolve(given)}: no such directory`);
    return findRun(given, lockHolders);
  }
  const runs = [...(await scanRuns(out, lockHolders)), ...scanForeign(out)];
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

/** The directory of a run in any state. @throws {BhBridgeError} as `resolveRun`. */
export async function directoryOfRun(given: string, out: string): Promise<string> {
  return (await resolveRun(given, out, noLockHolders)).directory;
}

/** Minimum length of a prefix of a hash. */
const shortestHash = 4;

function notFound(given: string, out: string, runs: readonly FoundRun[]): BhBridgeError {
  const ids = runs.map(({ id }) => id);
  const near = nearestName(given, ids);
  const hint = near === undefined ? `See "bh-bridge runs --out ${out}"` : `Did you mean ${near}?`;
  return new BhBridgeError("RUN_NOT_FOUND", `there is no run "${given}" in ${resolve(out)}. ${hint}`);
}
