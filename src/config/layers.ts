import type { ConfigIssue } from "../errors.js";
import { isPlainObject } from "./json-value.js";
import { defaultFamily } from "./models/families.js";
import { overridden, presentPath, withoutShortForm } from "./old-engine-fields.js";

/** Where a part of the configuration comes from: its values as they were written, and the source of each. */
export interface Layer {
  values: Record<string, unknown>;
  /** What to call the source of the value at a dotted path: `preset quick`, `my.yaml:3:5`, `--set`. */
  sourceOf(path: string): string;
}

/** What the layers give together, before it is checked. */
export interface MergedLayers {
  values: Record<string, unknown>;
  /** Source of every value, by dotted path. */
  sources: Map<string, string>;
}

/** Names that reach into JavaScript's own objects. */
const reservedKeys: readonly string[] = ["__proto__", "constructor", "prototype"];
/** Deepest nesting: twice what a schedule's arguments need, and the end of an object that contains itself. */
const deepest = 16;

/**
 * Merge layers in order: objects are merged, other values replaced. A layer that names another `init.kind` or
 * `model.type` starts that section afresh, so that fields of the old kind do not linger.
 */
export function mergeLayers(layers: readonly Layer[], issues: ConfigIssue[]): MergedLayers {
  const merged: MergedLayers = { values: {}, sources: new Map() };
  for (const written of layers) {
    const layer = inFull(written);
    for (const { section, kind, first } of kinds) dropOtherKind(merged, section, kind, first, layer.values[section]);
    for (const path of overridden(merged.values, layer.values)) drop(merged, path);
    mergeObject(merged.values, layer.values, [], { layer, sources: merged.sources, issues });
  }
  return merged;
}

/** Sections whose fields depend on a discriminator, and its default. */
const kinds = [
  { section: "init", kind: "kind", first: undefined },
  { section: "model", kind: "type", first: defaultFamily },
] as const;

/** The layer with the section `engine` in place of its short form. */
function inFull({ values, sourceOf }: Layer): Layer {
  const isShort = typeof values["engine"] === "string";
  return { values: withoutShortForm(values), sourceOf: (path) => sourceOf(isShort && path === "engine.name" ? "engine" : path) };
}

interface Context {
  layer: Layer;
  sources: Map<string, string>;
  issues: ConfigIssue[];
}

function mergeObject(target: Record<string, unknown>, values: Record<string, unknown>, path: string[], context: Context): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const here = [...path, key];
    const dotted = here.join(".");
    if (reservedKeys.includes(key) || here.length > deepest) {
      const message = here.length > deepest ? `is nested more than ${deepest} levels deep` : "is not a field name";
      context.issues.push({ path: dotted, message, source: context.layer.sourceOf(dotted) });
    } else if (isPlainObject(value)) {
      mergeInto(target, key, value, here, context);
    } else {
      forget(context.sources, dotted);
      target[key] = value;
      context.sources.set(dotted, context.layer.sourceOf(dotted));
    }
  }
}

function mergeInto(target: Record<string, unknown>, key: string, value: Record<string, unknown>, path: string[], context: Context): void {
  const existing = target[key];
  const object = isPlainObject(existing) ? existing : {};
  if (object !== existing) {
    const dotted = path.join(".");
    forget(context.sources, dotted);
    context.sources.set(dotted, context.layer.sourceOf(dotted));
    target[key] = object;
  }
  mergeObject(object, value, path, context);
}

function dropOtherKind(merged: MergedLayers, section: string, kind: string, first: string | undefined, given: unknown): void {
  const current = merged.values[section];
  if (!isPlainObject(given) || !isPlainObject(current) || given[kind] === undefined || given[kind] === (current[kind] ?? first)) return;
  drop(merged, section);
}

/** Remove the value at a path of one or two names. */
function drop({ values, sources }: MergedLayers, path: string): void {
  const [section = "", field] = path.split(".");
  const object = values[section];
  if (field === undefined) delete values[section];
  else if (isPlainObject(object)) delete object[field];
  forget(sources, path);
}

function forget(sources: Map<string, string>, path: string): void {
  for (const known of sources.keys()) {
    if (known === path || known.startsWith(`${path}.`)) sources.delete(known);
  }
}

/** A value at a dotted path. */
export interface Assignment {
  path: string;
  value: unknown;
  source: string;
}

/** A value as a command line has it: JSON where it is JSON, else text. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON is the rule, not an error: names and paths are written without quotes
  }
}

/** The layer of `--set path=value` arguments; of two that name one path the later holds. */
export function setLayer(texts: readonly string[], issues: ConfigIssue[]): Layer {
  const assignments: Assignment[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const path = text.slice(0, Math.max(0, equals)).trim();
    if (/^[^.\s]+(\.[^.\s]+)*$/.test(path)) assignments.push({ path, value: parseValue(text.slice(equals + 1)), source: "--set" });
    else issues.push({ path: text, message: "is not path=value, for example training.learning_rate=3e-4", source: "--set" });
  }
  return assignmentLayer(assignments);
}

/** A layer of single values. */
export function assignmentLayer(given: readonly Assignment[]): Layer {
  // As text, `engine` would replace what other assignments put into the section.
  const assignments = given.map((each) => (each.path === "engine" && typeof each.value === "string" ? { ...each, path: presentPath(each.path) } : each));
  const values: Record<string, unknown> = {};
  for (const { path, value } of assignments) assign(values, path.split("."), value);
  return { values, sourceOf: (path) => sourceAt(assignments, path) };
}

function assign(target: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  const existing = Object.hasOwn(target, key) ? target[key] : undefined;
  const below = isPlainObject(existing) ? existing : {};
  define(target, key, rest.length === 0 ? value : below);
  if (rest.length > 0) assign(below, rest, value);
}

// Plain assignment to `__proto__` would change the object's prototype instead of making a key that can be refused.
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function sourceAt(assignments: readonly Assignment[], path: string): string {
  const covering = assignments.findLast((assignment) => path === assignment.path || path.startsWith(`${assignment.path}.`));
  return (covering ?? assignments.find((assignment) => assignment.path.startsWith(`${path}.`)) ?? assignments[0])?.source ?? "--set";
}

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
