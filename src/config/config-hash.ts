import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { batchedRuns, isEngineDefault, processesOf } from "./engine-schema.js";
import { configValues, isPlainObject, type JsonValue } from "./json-value.js";
import { defaultFamily } from "./models/families.js";
import { withCode } from "./own-code.js";
import type { RunConfig } from "./run-config-schema.js";

/** A configuration without what says where or how something is called or reached, not what it is: `name`, `python`, `track`, the ways to the same bits, and the directories of files. The engine has the form of earlier versions, so that hashes stay. */
export function configIdentity(config: RunConfig) {
  const { name: _name, python: _python, track: _track, engine, device, threads, ...trained } = withCode(config, ({ sha256 }) => sha256);
  const { data, model, init, noise, record, seeds, ...rest } = trained;
  const apart = Object.fromEntries(Object.entries(seeds).filter(([, own]) => own !== null && own !== rest.seed));
  return {
    ...rest,
    ...(engine.name === "portable" ? {} : { device, threads }), // they do not change its bits
    ...engineIdentity(engine),
    data: withoutDefaults(dataIdentity(data), laterDataFields),
    model: withoutDefaults({ ...model, from: fileName(model.from) }, { type: defaultFamily }),
    noise: withoutDefaults(noise, { last_step: null }),
    record: withoutDefaults(record, { model: "off" }),
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
  const [runs, processes] = [batchedRuns({ engine }), processesOf({ engine })];
  return {
    engine: engine.name,
    ...(engine.name === "fast" ? { compiled_step: engine.compile } : {}),
    ...(processes > 1 ? { processes } : {}),
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

/** One field in which two configurations differ; undefined where one of them does not have it. */
export interface FieldDifference {
  path: string;
  before: JsonValue | undefined;
  after: JsonValue | undefined;
  /** The value is of another type than before (a list instead of a name, an object instead of a list); null does not count as one. */
  typeChanged: boolean;
}

/** The fields in which two configurations differ, in the schema's order. A setting that only one of two engines has counts unless it is the default. */
export function diffRunConfigs(before: RunConfig, after: RunConfig): FieldDifference[] {
  const left = configValues(before);
  const right = configValues(after);
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((path) => ({ path, before: left.get(path), after: right.get(path) }))
    .filter(({ before, after }) => !isDeepStrictEqual(before, after))
    .filter(({ path, before, after }) => (before !== undefined && after !== undefined) || !isEngineDefault(path, before ?? after))
    .map((difference) => ({ ...difference, typeChanged: isOtherType(typeAt(left, difference.path), typeAt(right, difference.path)) }));
}

function isOtherType(before: string | undefined, after: string | undefined): boolean {
  return before !== undefined && after !== undefined && before !== after;
}

/** The type of what stands at a path; an object with fields has paths below it instead. */
function typeAt(values: ReadonlyMap<string, JsonValue>, path: string): string | undefined {
  const value = values.get(path);
  if (value !== undefined) return value === null ? undefined : typeName(value);
  return [...values.keys()].some((other) => other.startsWith(`${path}.`)) ? typeName(undefined) : undefined;
}

/** The name of a value's type for people; undefined stands for an object, whose fields are listed by paths of their own. */
export function typeName(value: JsonValue | undefined): string {
  if (value === undefined) return "object";
  return Array.isArray(value) ? "list" : typeof value === "string" ? "text" : typeof value;
}
