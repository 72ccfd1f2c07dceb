import { createHash } from "node:crypto";
import { join } from "node:path";
import { Bridge } from "../../src/bridge/bridge.js";
import { corpusOf } from "../../src/bridge/corpus.js";
import { loadRunConfig } from "../../src/bridge/load-run-config.js";
import { type PresetName, presetNames } from "../../src/config/presets.js";
import { temporaryFolder, warmPython } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

/** What decides the bits of a training on one thread of the CPU, as far as is known. */
export interface GoldenEnvironment {
  torch: string;
  cpu_capability: string;
  processor: string;
}

/** SHA-256 of the bytes of `embedding_history` of each preset at 30 steps and, where that takes minutes, at a smaller size, on the built-in corpus, and where they were computed. */
export interface GoldenHistories {
  environment: GoldenEnvironment;
  histories: Partial<Record<PresetName, string>>;
}

/** A Python on one thread, and the environment that it computes in. */
export async function startGolden(): Promise<{ bridge: Bridge; environment: GoldenEnvironment }> {
  const bridge = await Bridge.start({ python: warmPython, threads: 1, device: "cpu" });
  const { torch, cpu_capability, processor } = bridge.environment;
  return { bridge, environment: { torch, cpu_capability, processor } };
}

/** Presets whose own size would take minutes, at a smaller one. */
const smaller: Partial<Record<PresetName, readonly string[]>> = {
  "crucible-1": ["model.vocab_size=300", "model.n_positions=32", "training.per_device_train_batch_size=16"],
};

/** As `GoldenHistories`, by engine `portable`: the same on every machine. */
export interface PortableGolden {
  recipe: number;
  histories: Partial<Record<PresetName, string>>;
}

/** Presets whose models engine `portable` supports. */
export const portablePresets = presetNames.filter((name) => name !== "crucible-1");

/** The hash of the history of each preset, computed now. */
export async function computeGolden(
  bridge: Bridge,
  presets: readonly PresetName[] = presetNames,
  engine: "trainer" | "portable" = "trainer",
): Promise<Partial<Record<PresetName, string>>> {
  using folder = temporaryFolder();
  const hashes: Partial<Record<PresetName, string>> = {};
  for (const preset of presets) {
    const resolved = await loadRunConfig({
      preset,
      aliases: { device: "cpu", threads: "1", steps: "30", ...(engine === "portable" && { engine }) },
      set: smaller[preset] ?? [],
    });
    const model = await bridge.buildModel(resolved.config);
    await using trainer = bridge.trainerOf({ resolved, model, corpus: await corpusOf(resolved), out: folder.path, callbacks: [] });
    const { run } = await trainer.train();
    hashes[preset] = hashOfHistory(run);
  }
  return hashes;
}

/** SHA-256 of the bytes of `embedding_history` of a run. */
export function hashOfHistory(run: string): string {
  return createHash("sha256")
    .update(tensorBytes(join(run, "history.safetensors"), "embedding_history"))
    .digest("hex");
}
