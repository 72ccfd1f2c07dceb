import type { Layer } from "./layer.js";
import { type Assignment, assignmentLayer, parseValue } from "./set-layer.js";

/** Short options of `train`, each for one field. `text` is taken as it stands, `json` as `--set` takes it, of `files` several are a list of files. */
export const aliases = {
  corpus: { path: "data.corpus", takes: "files" },
  steps: { path: "training.max_steps", takes: "json" },
  lr: { path: "training.learning_rate", takes: "json" },
  batchSize: { path: "training.per_device_train_batch_size", takes: "json" },
  seed: { path: "seed", takes: "json" },
  device: { path: "device", takes: "text" },
  threads: { path: "threads", takes: "json" },
  nproc: { path: "engine.processes", takes: "json" },
  engine: { path: "engine.name", takes: "text" },
  name: { path: "name", takes: "text" },
  python: { path: "python", takes: "text" },
} as const;

/** Values of the short options, as the command line has them. */
export type AliasValues = { [name in keyof typeof aliases]?: ((typeof aliases)[name]["takes"] extends "files" ? string | string[] : string) | undefined };

/** The layer of the short options that were given. */
export function aliasLayer(values: AliasValues): Layer {
  const assignments: Assignment[] = [];
  for (const [name, { path, takes }] of Object.entries(aliases)) {
    const text = values[name as keyof AliasValues];
    if (text === undefined) continue;
    const value = typeof text === "string" ? (takes === "json" ? parseValue(text) : text) : files(text);
    assignments.push({ path, value, source: optionOf(name) });
  }
  return assignmentLayer(assignments);
}

/** `batchSize` is `--batch-size` on the command line. */
export function optionOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function files(paths: readonly string[]): unknown {
  const [only] = paths;
  return paths.length === 1 ? only : paths.map((path) => ({ path }));
}
