import { createHash } from "node:crypto";
import { basename } from "node:path";
import { batchedRuns } from "./engine-schema.js";
import { isPlainObject } from "./json-value.js";
import { defaultFamily } from "./models/families.js";
import { withCode } from "./own-code.js";
import type { RunConfig } from "./run-config-schema.js";

/** A configuration without what says where or how something is called or reached, not what it is: `name`, `python`, the ways to the same bits, and the directories of files. The engine has the form of earlier versions, so that hashes stay. */
export function configIdentity(config: RunConfig) {
  const { name: _name, python: _python, engine, data, model, init, noise, seeds, ...rest } = withCode(config, ({ sha256 }) => sha256);
  const apart = Object.fromEntries(Object.entries(seeds).filter(([, own]) => own !== null && own !== rest.seed));
  return {
    ...rest,
    ...engineIdentity(engine),
    data: withoutDefaults(dataIdentity(data), laterDataFields),
    model: withoutDefaults({ ...model, from: fileName(model.from) }, { type: defaultFamily }),
    noise: withoutDefaults(noise, { last_step: null }),
    ...(Object.keys(apart).length > 0 ? { seeds: apart } : {}),
    init: init.kind === "file" ? { ...init, path: fileName(init.path) } : init,
  };
}

/**
 * SHA-256 of a configuration, in hex: equal for configurations that compute the same. Taken of the JSON of its identity, with sorted keys and without spaces. A
 * run records the SHA-256 of the corpus beside this hash.
 */
export function configHash(config: RunConfig): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(configIdentity(config))))
    .digest("hex");
}

function engineIdentity(engine: RunConfig["engine"]) {
  const runs = batchedRuns({ engine });
  return {
    engine: engine.name,
    ...(engine.name === "fast" ? { compiled_step: engine.compile } : {}),
    ...(engine.processes > 1 ? { processes: engine.processes } : {}),
    ...(runs > 1 ? { stack: runs } : {}),
  };
}

/** Fields that earlier versions did not have, with the values that compute what they computed: with those a configuration is still the same one. */
const laterDataFields = { field: "text", documents: "pack", tokenizer: null, train_tokenizer: null, window_length: null, windows: "sliding" };

/** None is trained where one is given. */
function dataIdentity({ corpus, tokenizer, train_tokenizer, ...data }: RunConfig["data"]) {
  return {
    ...data,
    corpus: Array.isArray(corpus) ? corpus.map((file) => ({ ...file, path: fileName(file.path) })) : fileName(corpus),
    tokenizer: fileName(tokenizer),
    train_tokenizer: tokenizer === null ? train_tokenizer : null,
  };
}

function withoutDefaults(section: Record<string, unknown>, defaults: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(section).filter(([name, value]) => !Object.hasOwn(defaults, name) || value !== defaults[name]));
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
