/** A structure in which every number may be null. */
type JsonFigures<Value> = Value extends number
  ? number | null
  : Value extends readonly (infer Item)[]
    ? readonly JsonFigures<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: JsonFigures<Value[Key]> }
      : Value;

/** A copy in which NaN and infinities are null, as JSON would have them. */
export function jsonFigures<Value>(value: Value): JsonFigures<Value>;
export function jsonFigures(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((item) => jsonFigures(item));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonFigures(item)]));
  return value;
}
