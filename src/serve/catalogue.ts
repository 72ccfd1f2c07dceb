import { createHash } from "node:crypto";
import { type Dirent, existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { lockHolders as askForLocks } from "../python/lock-holders.js";
import { listedRun } from "../runner/choose-runs.js";
import { foreignIdentity } from "../runner/foreign-run.js";
import type { ListedRun } from "../runner/run-row.js";
import { experimentsFolder, foreignLog, runFiles, runsFolder, sweepsFolder } from "../runs/run-layout.js";
import { type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { type FoundRun, findRun, type LockHolders, noLockHolders, scanForeign, scanRuns } from "../runs/scan-runs.js";
import { planFileName } from "../sweep/plan/plan-directory.js";
import type { RunArchive } from "../sweep/run-archive.js";
import { fileIdentity, watchLocks } from "./lock-watch.js";

export interface ServedRun extends ListedRun {
  readonly id: string;
  readonly directory: string;
  /** The experiment or sweep that it belongs to. */
  readonly plan: string | null;
  readonly archive: string | null;
}

export interface ServedPlan {
  readonly id: string;
  readonly directory: string;
}

export interface Shelf {
  readonly runs: readonly ServedRun[];
  readonly plans: readonly ServedPlan[];
}

/** Minimum interval for reading the folders. */
const freshMs = 400;

/** The runs, experiments and sweeps in folders, by ids that are stable over restarts. Requests name only ids, never paths. */
export class Catalogue {
  readonly #folders: readonly string[];
  readonly #directories: string[];
  readonly #archives: RunArchive[] = [];
  readonly lockHolders: LockHolders = watchLocks(askForLocks);
  readonly #known = new Map<string, { signature: string; run: ServedRun }>();
  readonly #manifests = new Map<string, { identity: string; manifest: RunManifest }>();
  #shelf: Promise<Shelf> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /**
   * @param folders each holds runs, experiments and sweeps, or folders of them (`runs`, `experiments`, `sweeps`).
   * @param directories single runs, experiments and sweeps.
   */
  constructor(folders: readonly string[], directories: readonly string[] = []) {
    this.#folders = folders.map((folder) => resolve(folder));
    this.#directories = directories.map((directory) => realpathSync.native(resolve(directory)));
  }

  /** Add the contents of an archive, which its owner must keep open. */
  add(archive: RunArchive): void {
    this.#archives.push(archive);
    this.#directories.push(...archive.directories);
    this.#shelf = undefined;
  }

  /** The current contents, oldest first. */
  async shelf(): Promise<Shelf> {
    if (this.#shelf === undefined || performance.now() - this.#readAt > freshMs) {
      this.#shelf = this.#read().finally(() => {
        this.#readAt = performance.now();
      });
      this.#readAt = Number.POSITIVE_INFINITY; // concurrent requests share this reading
    }
    return this.#shelf;
  }

  async run(id: string): Promise<ServedRun | undefined> {
    return (await this.shelf()).runs.find((run) => run.id === id);
  }

  async plan(id: string): Promise<ServedPlan | undefined> {
    return (await this.shelf()).plans.find((plan) => plan.id === id);
  }

  async #read(): Promise<Shelf> {
    const folders = new Set(this.#folders.flatMap(runFolders));
    const isPlan = (directory: string) => existsSync(join(directory, planFileName));
    const single = this.#directories.filter((directory) => existsSync(directory) && ![...folders].some((folder) => isInside(directory, folder)));
    const plans = [...[...folders].flatMap(planDirectories), ...single.filter(isPlan).map((directory) => ({ id: idOf(directory), directory }))];
    const found = await Promise.all([
      ...single
        .filter((directory) => !isPlan(directory))
        .map(async (directory) => inFolder(dirname(directory), null, [await findRun(directory, noLockHolders, this.#manifest)])),
      ...[...folders].map(async (folder) => inFolder(folder, null, [...(await scanRuns(folder, noLockHolders, this.#manifest)), ...scanForeign(folder)])),
      ...plans.map(async ({ id, directory }) =>
        inFolder(join(directory, runsFolder), id, await scanRuns(join(directory, runsFolder), noLockHolders, this.#manifest)),
      ),
    ]);
    const all = found.flat();
    const holders = await this.lockHolders(all.flatMap(({ run }) => (run.manifest ? [run.directory] : [])));
    const runs: ServedRun[] = [];
    for (const { run, plan } of all) runs.push(await this.#served(withLock(run, holders), plan));
    const kept = new Set(runs.map(({ directory }) => directory));
    for (const map of [this.#known, this.#manifests]) for (const directory of map.keys()) if (!kept.has(directory)) map.delete(directory);
    return { runs: runs.sort((left, right) => compareText(left.row.created ?? "", right.row.created ?? "")), plans };
  }

  /** Read a manifest, cached until the file changes, as most runs have ended long ago. */
  readonly #manifest = (directory: string): RunManifest => {
    const identity = fileIdentity(join(directory, runFiles.manifest));
    const known = this.#manifests.get(directory);
    if (known?.identity === identity && identity !== "") return known.manifest;
    const manifest = readRunManifest(directory);
    this.#manifests.set(directory, { identity, manifest });
    return manifest;
  };

  /** Read a run, cached until one of its files changes. */
  async #served(found: FoundRun, plan: string | null): Promise<ServedRun> {
    const signature = `${found.status} ${signatureOf(found.directory)}`;
    const known = this.#known.get(found.directory);
    if (known?.signature === signature) return known.run;
    const archive = this.#archives.find(({ folder }) => isInside(found.directory, dirname(folder)))?.name ?? null;
    const run = { id: idOf(found.directory), directory: found.directory, plan, archive, ...(await listedRun(found)) };
    this.#known.set(found.directory, { signature, run });
    return run;
  }
}

function idOf(directory: string): string {
  return createHash("sha256").update(realpathSync.native(directory)).digest("hex").slice(0, 20);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The folder itself, and its folders with the default names. */
function runFolders(folder: string): string[] {
  const usual = [runsFolder, experimentsFolder, sweepsFolder].map((name) => join(folder, name));
  return [folder, ...usual.filter((path) => existsSync(path) && !existsSync(join(path, runFiles.manifest)) && isInside(path, folder))];
}

function planDirectories(folder: string): ServedPlan[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((directory) => existsSync(join(directory, planFileName)) && isInside(directory, folder))
    .sort()
    .map((directory) => ({ id: idOf(directory), directory }));
}

/** The runs of a folder; runs behind links to other places are not served. */
function inFolder(folder: string, plan: string | null, runs: readonly FoundRun[]): { run: FoundRun; plan: string | null }[] {
  return runs
    .filter(({ directory }) => isInside(directory, folder))
    .map((run) => {
      const link = linkOut(run.directory);
      if (link === undefined) return { run, plan };
      return { run: { ...run, status: "corrupt", manifest: undefined, problem: `${link} is a link out of the run, which is not followed` }, plan };
    });
}

function isInside(path: string, folder: string): boolean {
  try {
    return realpathSync.native(path).startsWith(realpathSync.native(folder) + sep);
  } catch {
    return false; // it does not exist
  }
}

function linkOut(directory: string): string | undefined {
  return entriesOf(directory).find((entry) => entry.isSymbolicLink() && !isInside(join(directory, entry.name), directory))?.name;
}

/** The entries of a folder; none if it was deleted meanwhile. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (existsSync(directory)) throw error;
    return [];
  }
}

function withLock(run: FoundRun, holders: ReadonlyMap<string, number>): FoundRun {
  const pid = holders.get(run.directory);
  if (run.status === "corrupt") return run;
  return pid === undefined ? run : { ...run, status: "running", pid };
}

/** The index is watched because the size of a history does not change during a training. */
const watched = [runFiles.manifest, runFiles.config, runFiles.notes, runFiles.events, "history.idx"];

function signatureOf(directory: string): string {
  const foreign = foreignLog(directory);
  if (foreign !== undefined) return foreignIdentity(foreign);
  return watched.map((name) => fileIdentity(join(directory, name))).join("|");
}
