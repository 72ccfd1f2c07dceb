import { configValues } from "../../config/config-values.js";
import type { JsonValue } from "../../config/json-value.js";

/** Values by dotted path, as a trial sets them over the base. */
export type Overrides = Readonly<Record<string, JsonValue>>;

/**
 * Every value of a part of a configuration by its dotted path. Dotted keys and nested objects are the same: `{"model.norm": "layernorm"}` and
 * `{model: {norm: "layernorm"}}`. Of two that name one path the later holds; a list is one value, an empty object too.
 */
export function flattenOverrides(values: Readonly<Record<string, unknown>>): Overrides {
  return Object.fromEntries(configValues(values));
}
