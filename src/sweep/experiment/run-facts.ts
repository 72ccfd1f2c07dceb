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
 * Versions of all packages installed for a run's two processes, by `Python package NAME` and `npm package NAME`.
 * @throws {BhBridgeError} as `readRunDocument`.
 */
export function recordedPackages(directory: string): Record<string, string> {
  return { ...versionsIn(directory, runFiles.pythonEnvironment, "Python package"), ...versionsIn(directory, runFiles.nodeEnvironment, "npm package") };
}

function versionsIn(directory: string, file: string, kind: string): Record<string, string> {
  const { packages } = readRunDocument(directory, file, versionsSchema) ?? { packages: {} };
  return Object.fromEntries(Object.entries(packages).flatMap(([name, version]) => (version === null ? [] : [[`${kind} ${name}`, version]])));
}

/** Name of the embedding in PyTorch where the initial tensors of the model are unknown. */
const embeddingOfGpt2 = "transformer.wte.weight";

/** Facts about a run that can differ unintentionally. */
export interface RunFacts {
  readonly config: RunConfig;
  /** Number of weights. */
  readonly parameters: number;
  readonly corpus: { readonly sha256: string; readonly windows: number };
  /** SHA-256 of the window order in the first epoch; null if not recorded. */
  readonly windowOrder: string | null;
  readonly environment: EnvironmentPin;
  /** Version by package name. */
  readonly packages: Readonly<Record<string, string>>;
  /** SHA-256 of initial values, by the parameter's name in PyTorch. */
  readonly initialTensors: InitialTensors;
  /** Name of the embedding among them. */
  readonly embedding: string;
}

export type InitialTensors = Readonly<Record<string, string>>;

/**
 * The facts in a run's directory.
 * @param builtTensors initial tensors of a configuration; without it, the recorded rows of the embedding are the only ones.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `FORMAT_INVALID`.
 */
export async function readRunFacts(directory: string, builtTensors?: (config: RunConfig) => Promise<InitialTensors>): Promise<RunFacts> {
  const { parameters, corpus, environment, package_version } = readRunManifest(directory);
  const history = await openHistory(directory);
  try {
    const config = readRunConfig(directory);
    const recorded = createHash("sha256").update(readState(history, 0).bytes).digest("hex");
    const built = (await builtTensors?.(config)) ?? {};
    const embedding = Object.keys(built).find((name) => built[name] === recorded) ?? embeddingOfGpt2;
    return {
      config,
      parameters,
      corpus: { sha256: corpus.sha256, windows: corpus.windows },
      windowOrder: lastEvent(directory, "train_begin")?.window_order ?? null,
      environment,
      packages: { "bh-bridge": package_version, ...recordedPackages(directory) },
      initialTensors: { ...built, [embedding]: recorded },
      embedding,
    };
  } finally {
    history.close();
  }
}
