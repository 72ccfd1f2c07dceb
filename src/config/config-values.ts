import { isPlainObject, type JsonValue } from "./json-value.js";

/** Every value of a configuration, or of another plain object, by dotted path in its order; a list is one value. */
export function configValues(config: object): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  collect(config, "", values);
  return values;
}

function collect(value: unknown, path: string, values: Map<string, JsonValue>): void {
  if (value === undefined) return;
  if (!isPlainObject(value) || (path !== "" && Object.keys(value).length === 0)) values.set(path, value as JsonValue);
  else for (const [key, below] of Object.entries(value)) collect(below, path === "" ? key : `${path}.${key}`, values);
}
