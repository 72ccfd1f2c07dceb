import { resolve } from "node:path";
import { Bridge } from "../bridge/bridge.js";
import { corpusOf } from "../bridge/corpus.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import { resolveDevice } from "../bridge/prepared-run.js";
import type { ResolvedConfig, RunInput } from "../config/resolve-run-config.js";
import { deviceKind } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { corpusIdentity, readRunConfig, trialIdentity, trialOfRun } from "../runs/run-config.js";
import { noLockHolders, scanRuns } from "../runs/scan-runs.js";
import type { TrainOptions } from "./train.js";

type FindEqualRunOptions = Pick<TrainOptions, "signal" | "out" | "startFrom">;

/**
 * The newest complete run that trained the same: equal configuration, text, kind of device, number of threads and beginning. Nothing when there is none.
 *
 * What a run is called and where its text lies do not count, nor do the versions of Python and its packages. Python is started where the configuration leaves
 * device or threads to it.
 * @param input as of `train`.
 * @returns absolute path of its directory.
 * @throws {BhBridgeError} `CONFIG_INVALID`, `CORPUS_INVALID`, `ABORTED`, and as `Bridge.start`.
 */
export async function findEqualRun(input: RunInput = {}, options: FindEqualRunOptions = {}): Promise<string | undefined> {
  const resolved = await loadRunConfig({ input });
  const { python } = resolved.config;
  return equalRunOf(resolved, () => resolvePython({ ...(python && { config: python }) }, options.signal), options);
}

/** As `findEqualRun`, for a complete configuration; `python` is asked for where an interpreter is needed. */
export async function equalRunOf(
  resolved: ResolvedConfig,
  python: () => Promise<UsablePython>,
  { out = "runs", startFrom, signal }: FindEqualRunOptions,
): Promise<string | undefined> {
  const { config, hash } = resolved;
  const runs = await scanRuns(out, noLockHolders);
  const alike = runs.flatMap(({ status, manifest, directory }) => (status === "completed" && manifest?.config_hash === hash ? [{ manifest, directory }] : []));
  if (alike.length === 0) return undefined; // nothing has to be read or started to know
  const corpus = await corpusOf(resolved, signal);
  const trial = trialIdentity({ configHash: hash, corpus: corpusIdentity(corpus), ...(await computedOn(config, python, signal)) });
  const beganAlike = (begun: string | null) => begun === (startFrom === undefined ? null : resolve(startFrom));
  return alike.findLast(
    ({ manifest, directory }) =>
      trialOfRun(manifest) === trial &&
      beganAlike(manifest.start_from && resolve(manifest.start_from)) &&
      manifest.model_changes.length === 0 &&
      startsFromSameFiles(readRunConfig(directory), config),
  )?.directory;
}

/** A hash of a configuration has the names of these files only. */
function startsFromSameFiles(a: RunConfig, b: RunConfig): boolean {
  const files = ({ model, init }: RunConfig) => JSON.stringify([model.from, init.kind === "file" ? init.path : null]);
  return files(a) === files(b);
}

/** Kind of device and number of threads that a configuration comes to here. */
async function computedOn({ device, threads }: RunConfig, python: () => Promise<UsablePython>, signal: AbortSignal | undefined) {
  if (device !== "auto" && threads !== null) return { device: deviceKind(device), threads };
  await using bridge = await Bridge.startWith(await python(), { threads, device, signal });
  return { device: resolveDevice(device, bridge.environment).kind, threads: bridge.environment.threads };
}
