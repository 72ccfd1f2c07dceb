import { isDeepStrictEqual } from "node:util";
import { configValues } from "./config-values.js";
import type { JsonValue } from "./json-value.js";
import type { RunConfig } from "./run-config-schema.js";

/** One field in which two configurations differ; undefined where one of them does not have it. */
export interface FieldDifference {
  path: string;
  before: JsonValue | undefined;
  after: JsonValue | undefined;
  /** The value is of another type than before (a list instead of a name); null does not count as one. */
  typeChanged: boolean;
}

/** The fields in which two configurations differ, in the schema's order. */
export function diffRunConfigs(before: RunConfig, after: RunConfig): FieldDifference[] {
  const left = configValues(before);
  const right = configValues(after);
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((path) => ({ path, before: left.get(path), after: right.get(path) }))
    .filter(({ before, after }) => !isDeepStrictEqual(before, after))
    .map((difference) => ({ ...difference, typeChanged: typeChanged(difference.before, difference.after) }));
}

function typeChanged(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  if (before === undefined || after === undefined || before === null || after === null) return false;
  return typeof before !== typeof after;
}
