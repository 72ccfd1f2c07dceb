import { resolve } from "node:path";
import { Bridge } from "../bridge/bridge.js";
import { corpusOf } from "../bridge/corpus.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import { resolveDevice } from "../bridge/prepared-run.js";
import type { ResolvedConfig, RunInput } from "../config/resolve-run-config.js";
import { deviceKind, deviceOf } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { corpusIdentity, readRunConfig, threadsInBits, trialIdentity, trialOfRun } from "../runs/run-config.js";
import { noLockHolders, scanRuns } from "../runs/scan-runs.js";
import type { TrainOptions } from "./train.js";

type FindEqualRunOptions = Pick<TrainOptions, "signal" | "out" | "startFrom">;

/**
 * The newest completed run with the same configuration, text, kind of device, number of threads and starting point.
 *
 * Names, paths of texts, and versions of Python and its packages are ignored. Python is started if the configuration does not set device and threads.
 * @param input as for `train`.
 * @returns absolute path of its directory, undefined if there is none.
 * @throws {BhBridgeError} `CONFIG_INVALID`, `CORPUS_INVALID`, `ABORTED`, and as `Bridge.start`.
 */
export async function findEqualRun(input: RunInput = {}, options: FindEqualRunOptions = {}): Promise<string | undefined> {
  const resolved = await loadRunConfig({ input, resumeState: options.startFrom !== undefined });
  const { python } = resolved.config;
  return equalRunOf(resolved, () => resolvePython({ ...(python && { config: python }) }, options.signal), options);
}

/** As `findEqualRun`, for a complete configuration; `python` is called only if an interpreter is required. */
export async function equalRunOf(
  resolved: ResolvedConfig,
  python: () => Promise<UsablePython>,
  { out = "runs", startFrom, signal }: FindEqualRunOptions,
): Promise<string | undefined> {
  const { config, hash } = resolved;
  const runs = await scanRuns(out, noLockHolders);
  const alike = runs.flatMap(({ status, manifest, directory }) => (status === "completed" && manifest?.config_hash === hash ? [{ manifest, directory }] : []));
  if (alike.length === 0) return undefined; // without reading the corpus or starting Python
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

/** The hash of a configuration covers only the names of these files, not their paths. */
function startsFromSameFiles(a: RunConfig, b: RunConfig): boolean {
  const files = ({ model, init }: RunConfig) => JSON.stringify([model.from, init.kind === "file" ? init.path : null]);
  return files(a) === files(b);
}

/** Kind of device and number of threads of a configuration on this machine. */
async function computedOn(config: RunConfig, python: () => Promise<UsablePython>, signal: AbortSignal | undefined) {
  const { threads, engine } = config;
  const device = deviceOf(config);
  if (engine.name === "portable") return { device: deviceKind(device), threads: threadsInBits(engine.name, 0) };
  if (device !== "auto" && threads !== null) return { device: deviceKind(device), threads };
  await using bridge = await Bridge.startWith(await python(), { threads, device, signal });
  return { device: resolveDevice(device, bridge.environment).kind, threads: bridge.environment.threads };
}
