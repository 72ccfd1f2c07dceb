import { z } from "zod";
import { batchedRunsSchema, engineSchema, engines, processesSchema } from "./engine-schema.js";
import { isPlainObject } from "./json-value.js";

/** Where a field of earlier versions is now, and the values that meant nothing to an engine without it. */
interface OldField {
  field: string;
  ignored: readonly unknown[];
}

/** Earlier versions spread the section `engine` over six fields: its name, and these. They are still read everywhere. */
const oldFields = {
  processes: { field: "processes", ignored: [] },
  exact_step: { field: "exact", ignored: ["auto", "off"] },
  compiled_step: { field: "compile", ignored: ["auto", "on", "off"] },
  graphed_step: { field: "graph", ignored: [] },
  stack: { field: "batched_runs", ignored: [1] },
} as const satisfies Record<string, OldField>;

type OldName = keyof typeof oldFields;

function old<Schema extends z.ZodType>(schema: Schema, path: string) {
  return schema.optional().meta({ deprecated: true, description: `Old name of \`${path}\`.` });
}

/** What may be written in place of the section: its short form, and the fields of earlier versions. */
export const otherForms = {
  engine: z
    .union([z.enum(engines), engineSchema])
    .prefault({})
    .describe(engineSchema.description ?? ""),
  processes: old(processesSchema, "engine.processes"),
  exact_step: old(z.enum(["auto", "off"]), "engine.exact"),
  compiled_step: old(z.enum(["auto", "on", "off"]), "engine.compile"),
  graphed_step: old(z.enum(["auto", "off"]), "engine.graph"),
  stack: old(batchedRunsSchema, "engine.batched_runs"),
};

/** Names of the fields of earlier versions, with the path of each today. */
const oldPaths: readonly (readonly [OldName, string])[] = (Object.keys(oldFields) as OldName[]).map((name) => [name, `engine.${oldFields[name].field}`]);

/** The path of a field today, where an earlier version or the short form (`engine=fast`) has another one. */
export function presentPath(path: string): string {
  return path === "engine" ? "engine.name" : (oldPaths.find(([name]) => name === path)?.[1] ?? path);
}

/** Values with the section that the short form stands for: `engine: "fast"` is `engine: { name: "fast" }`. */
export function withoutShortForm(values: Record<string, unknown>): Record<string, unknown> {
  return typeof values["engine"] === "string" ? { ...values, engine: { name: values["engine"] } } : values;
}

/**
 * Make room for a layer that is about to be laid over others: of an old field and its successor, the later one holds. An engine keeps the fields that it shares
 * with the one before it and drops the others.
 */
export function overridden(values: Record<string, unknown>, layer: Record<string, unknown>): string[] {
  const below = isPlainObject(values["engine"]) ? values["engine"] : {};
  const above = isPlainObject(layer["engine"]) ? layer["engine"] : {};
  const replaced = oldPaths.flatMap(([name, path]) => {
    const { field } = oldFields[name];
    if (above[field] !== undefined) return [name];
    return layer[name] === undefined ? [] : [path];
  });
  const { name } = above;
  if (name === undefined || name === (below["name"] ?? "trainer")) return replaced;
  const kept = ["name", ...(fieldsOf(name) ?? [])];
  return [...replaced, ...Object.keys(below).flatMap((field) => (kept.includes(field) ? [] : [`engine.${field}`]))];
}

/** A configuration in today's form. */
interface Folded {
  values: Record<string, unknown>;
  /** Fields of earlier versions that the chosen engine does not have: another engine of the same configuration would. */
  unused: Record<string, unknown>;
}

/** Move the fields of earlier versions into the section `engine`, where the engine has such a field. */
export function inEngineSection(given: Record<string, unknown>): Folded {
  const written = withoutShortForm(given);
  const found = oldPaths.filter(([name]) => written[name] !== undefined);
  const section = written["engine"] ?? {};
  if (found.length === 0 || !isPlainObject(section)) return { values: written, unused: {} };
  const values = { ...written };
  const engine = { ...section };
  const unused: Record<string, unknown> = {};
  const fields = fieldsOf(engine["name"] ?? "trainer");
  for (const [name] of found) {
    const { field, ignored }: OldField = oldFields[name];
    const isForeign = fields?.includes(field) === false && ignored.includes(values[name]);
    if (isForeign) unused[name] = values[name];
    else if (engine[field] === undefined) engine[field] = values[name];
    delete values[name];
  }
  return { values: { ...values, engine }, unused };
}

/** `inEngineSection` of what a schema is given. */
export function readOldFields(given: unknown): unknown {
  return isPlainObject(given) ? inEngineSection(given).values : given;
}

/** Sources by dotted path, those of old fields also under the path of today. */
export function withPresentPaths(sources: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...oldPaths.flatMap(([name, path]): [string, string][] => (sources.has(name) ? [[path, sources.get(name) ?? ""]] : [])), ...sources]);
}

/** The names of an engine's fields; undefined for an engine that does not exist. */
function fieldsOf(engine: unknown): string[] | undefined {
  const branch = engineSchema.options.find(({ shape }) => shape.name.safeParse(engine).success);
  return branch && Object.keys(branch.shape);
}
