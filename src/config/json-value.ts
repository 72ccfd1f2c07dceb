import { stringify } from "yaml";

/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** An object that JSON can hold. */
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

/** Below this, 3e-5 is easier to read than 0.00003. */
const smallestPlainNumber = 1e-3;

/** A value as YAML on one line; text with line breaks is quoted, lists and objects are in brackets. */
export function inlineYaml(value: unknown): string {
  if (typeof value === "string" && /[\r\n]/.test(value)) return JSON.stringify(value);
  if (typeof value === "number" && value !== 0 && Math.abs(value) < smallestPlainNumber) return value.toExponential();
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
