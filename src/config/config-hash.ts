import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isPlainObject } from "./json-value.js";
import type { RunConfig } from "./run-config-schema.js";

/** A configuration without what says where or how something is called or reached, not what it is: `name`, `python`, `exact_step`, `graphed_step`, what another engine does, `processes` where there is one, and the directories of files. */
export function configIdentity(config: RunConfig) {
  const { name: _name, python: _python, exact_step: _exactStep, graphed_step: _graphedStep, compiled_step, processes, data, model, init, ...rest } = config;
  return {
    ...rest,
    ...(rest.engine === "fast" ? { compiled_step } : {}),
    ...(processes > 1 ? { processes } : {}),
    data: { ...data, corpus: fileName(data.corpus) },
    model: { ...model, from: fileName(model.from) },
    init: init.kind === "file" ? { ...init, path: fileName(init.path) } : init,
  };
}

/**
 * SHA-256 of a configuration, in hex: equal for configurations that compute the same.
 *
 * Taken of the JSON of its identity, with sorted keys and without spaces. A run records the SHA-256 of the corpus beside this hash.
 */
export function configHash(config: RunConfig): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(configIdentity(config))))
    .digest("hex");
}

function fileName(path: string | null): string | null {
  return path === null ? null : basename(path);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
