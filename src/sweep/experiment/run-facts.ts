import { createHash } from "node:crypto";
import { z } from "zod";
import type { RunConfig } from "../../config/run-config-schema.js";
import { readState } from "../../formats/history.js";
import { openHistory } from "../../runs/open-history.js";
import { lastEvent } from "../../runs/read-events.js";
import { readRunDocument } from "../../runs/read-run-json.js";
import { readRunConfig } from "../../runs/run-config.js";
import { runFiles } from "../../runs/run-layout.js";
import { type EnvironmentPin, readRunManifest } from "../../runs/run-manifest.js";

const versionsSchema = z.object({ packages: z.record(z.string(), z.string().nullable()) });

/**
 * The version of every package that a run's two processes had installed, by `Python package NAME` and `npm package NAME`; none of a process that wrote no
 * environment.
 *
 * @throws {BhBridgeError} as `readRunDocument`.
 */
export function recordedPackages(directory: string): Record<string, string> {
  return { ...versionsIn(directory, runFiles.pythonEnvironment, "Python package"), ...versionsIn(directory, runFiles.nodeEnvironment, "npm package") };
}

function versionsIn(directory: string, file: string, kind: string): Record<string, string> {
  const { packages } = readRunDocument(directory, file, versionsSchema) ?? { packages: {} };
  return Object.fromEntries(Object.entries(packages).flatMap(([name, version]) => (version === null ? [] : [[`${kind} ${name}`, version]])));
}

/** Name of the embedding in PyTorch. */
export const embeddingName = "transformer.wte.weight";

/** What can differ between two runs beside what somebody meant to differ. */
export interface RunFacts {
  readonly config: RunConfig;
  /** Weights of the model, counted when it was built. */
  readonly parameters: number;
  readonly corpus: { readonly sha256: string; readonly windows: number };
  /** SHA-256 of the order of the windows in the first epoch; null where it was not recorded. */
  readonly windowOrder: string | null;
  readonly environment: EnvironmentPin;
  /** Version by the name of the package. */
  readonly packages: Readonly<Record<string, string>>;
  /** SHA-256 of the values before the first step, by the parameter's name in PyTorch; of those that were looked at. */
  readonly initialTensors: Readonly<Record<string, string>>;
}

/**
 * The facts that a run's directory has: of the tensors before the first step, the recorded rows of the embedding.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `FORMAT_INVALID`.
 */
export async function readRunFacts(directory: string): Promise<RunFacts> {
  const { parameters, corpus, environment, package_version } = readRunManifest(directory);
  const history = await openHistory(directory);
  try {
    const embedding = createHash("sha256").update(readState(history, 0).bytes).digest("hex");
    return {
      config: readRunConfig(directory),
      parameters,
      corpus: { sha256: corpus.sha256, windows: corpus.windows },
      windowOrder: lastEvent(directory, "train_begin")?.window_order ?? null,
      environment,
      packages: { "bh-bridge": package_version, ...recordedPackages(directory) },
      initialTensors: { [embeddingName]: embedding },
    };
  } finally {
    history.close();
  }
}
