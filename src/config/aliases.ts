import type { Layer } from "./layer.js";
import { type Assignment, assignmentLayer, parseValue } from "./set-layer.js";

/** Short options of `train`, each for one field. `text` is taken as it stands, `json` as `--set` takes it. */
export const aliases = {
  corpus: { path: "data.corpus", takes: "text" },
  steps: { path: "training.max_steps", takes: "json" },
  seed: { path: "seed", takes: "json" },
  device: { path: "device", takes: "text" },
  threads: { path: "threads", takes: "json" },
  nproc: { path: "processes", takes: "json" },
  engine: { path: "engine", takes: "text" },
  name: { path: "name", takes: "text" },
  python: { path: "python", takes: "text" },
} as const;

/** Values of the short options, as the command line has them. */
export type AliasValues = { [name in keyof typeof aliases]?: string | undefined };

/** The layer of the short options that were given. */
export function aliasLayer(values: AliasValues): Layer {
  const assignments: Assignment[] = [];
  for (const [name, { path, takes }] of Object.entries(aliases)) {
    const text = values[name as keyof AliasValues];
    if (text !== undefined) assignments.push({ path, value: takes === "json" ? parseValue(text) : text, source: `--${name}` });
  }
  return assignmentLayer(assignments);
}
