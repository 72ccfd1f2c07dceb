import { isPlainObject } from "./json-value.js";

/** The value at a path of keys and indices; undefined where there is none. */
export function valueAt(path: readonly PropertyKey[], values: unknown): unknown {
  return path.reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return current[Number(key)];
    return isPlainObject(current) && Object.hasOwn(current, key) ? current[String(key)] : undefined;
  }, values);
}
