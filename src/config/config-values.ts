import { isPlainObject, type JsonValue } from "./json-value.js";
import type { RunConfig } from "./run-config-schema.js";

/** Every value of a configuration by dotted path, in the schema's order; a list is one value. */
export function configValues(config: RunConfig): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  collect(config, "", values);
  return values;
}

function collect(value: unknown, path: string, values: Map<string, JsonValue>): void {
  if (value === undefined) return;
  if (!isPlainObject(value) || (path !== "" && Object.keys(value).length === 0)) values.set(path, value as JsonValue);
  else for (const [key, below] of Object.entries(value)) collect(below, path === "" ? key : `${path}.${key}`, values);
}
