import { existsSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { nearestName } from "../config/nearest-name.js";
import { BhBridgeError } from "../errors.js";
import { runFiles } from "./run-layout.js";
import { type FoundRun, findRun, type LockHolders, noLockHolders, scanRuns } from "./scan-runs.js";

/**
 * The run that is meant by a path, a name, or the beginning of one that no other run shares.
 *
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
