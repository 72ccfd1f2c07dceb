import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { configValues } from "../config/config-values.js";
import type { JsonValue } from "../config/json-value.js";

/** One value in which several runs differ, by its dotted path; null for a run that does not have it. */
export const differenceSchema = z.strictObject({ path: z.string(), values: z.array(z.json()) });
export type Difference = z.output<typeof differenceSchema>;

/** The values in which plain objects differ, in the order in which they first appear. */
export function differences(objects: readonly object[]): Difference[] {
  const all = objects.map((object) => configValues(object));
  const paths = new Set(all.flatMap((values) => [...values.keys()]));
  return [...paths]
    .map((path) => ({ path, values: all.map((values): JsonValue => values.get(path) ?? null) }))
    .filter(({ values }) => values.some((value) => !isDeepStrictEqual(value, values[0])));
}
