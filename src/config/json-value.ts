/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

interface JsonObject {
  [key: string]: JsonValue;
}

/** True for an object that is neither an array nor an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The value at a path of keys and indices; undefined where there is none. */
export function valueAt(path: readonly PropertyKey[], values: unknown): unknown {
  return path.reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return current[Number(key)];
    return isPlainObject(current) && Object.hasOwn(current, key) ? current[String(key)] : undefined;
  }, values);
}

/** A copy with another value at a path of keys. */
export function withValueAt([key = "", ...rest]: readonly string[], values: Readonly<Record<string, unknown>>, value: unknown): Record<string, unknown> {
  const below = values[key];
  return { ...values, [key]: rest.length === 0 ? value : withValueAt(rest, isPlainObject(below) ? below : {}, value) };
}

/** Every value of a configuration, or of another plain object, by dotted path in its order; a list is one value, and the SHA-256 of code stands for its source. */
export function configValues(config: object): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  collect(config, "", values);
  return values;
}

function collect(value: unknown, path: string, values: Map<string, JsonValue>): void {
  if (value === undefined || path.endsWith(".code.source")) return;
  if (!isPlainObject(value) || (path !== "" && Object.keys(value).length === 0)) values.set(path, value as JsonValue);
  else for (const [key, below] of Object.entries(value)) collect(below, path === "" ? key : `${path}.${key}`, values);
}
