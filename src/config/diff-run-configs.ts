import { isDeepStrictEqual } from "node:util";
import { isEngineDefault } from "./engine-schema.js";
import { configValues, type JsonValue } from "./json-value.js";
import type { RunConfig } from "./run-config-schema.js";

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
