import type { ConfigIssue } from "../errors.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layer.js";
import { defaultFamily } from "./models/families.js";
import { overridden, withoutShortForm } from "./old-engine-fields.js";

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
 * Lay the layers over one another, the later over the earlier: objects are merged, anything else is replaced.
 *
 * A layer that names another `init.kind` or `model.type` starts that section afresh, so that fields of the old kind do not linger.
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

/** The sections whose fields depend on one of them, and what that is where it is left out. */
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

/** Forget the sources of a value and of all below it. */
function forget(sources: Map<string, string>, path: string): void {
  for (const known of sources.keys()) {
    if (known === path || known.startsWith(`${path}.`)) sources.delete(known);
  }
}
