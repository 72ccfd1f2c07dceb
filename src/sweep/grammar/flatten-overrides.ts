import { isPlainObject, type JsonValue } from "../../config/json-value.js";

/** Values by dotted path, as a trial sets them over the base. */
export type Overrides = Readonly<Record<string, JsonValue>>;

/**
 * Every value of a part of a configuration by its dotted path. Dotted keys and nested objects are the same: `{"model.norm": "layernorm"}` and
 * `{model: {norm: "layernorm"}}`. Of two that name one path the later holds; a list is one value, an empty object too.
 */
export function flattenOverrides(values: Readonly<Record<string, unknown>>): Overrides {
  const flat: Record<string, JsonValue> = {};
  collect(values, "", flat);
  return flat;
}

function collect(values: Readonly<Record<string, unknown>>, prefix: string, flat: Record<string, JsonValue>): void {
  for (const [key, value] of Object.entries(values)) {
    const path = `${prefix}${key}`;
    if (isPlainObject(value) && Object.keys(value).length > 0) collect(value, `${path}.`, flat);
    else if (value !== undefined) flat[path] = value as JsonValue;
  }
}
