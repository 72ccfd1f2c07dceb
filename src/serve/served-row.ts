import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { configValues } from "../config/config-values.js";
import type { JsonValue } from "../config/json-value.js";
import type { ServedRun } from "./catalogue.js";
import type { ServedRunRow } from "./documents.js";

/** A run as the page lists it, without what differs from others. */
export function servedRow({ id, plan, archive, directory, row }: ServedRun): Omit<ServedRunRow, "differs"> {
  return { id, plan, archive, ...row, run: basename(directory) };
}

/** Runs as the page lists them: of their configurations, what is not the same in all. */
export function servedRows(runs: readonly ServedRun[]): ServedRunRow[] {
  const values = runs.map(({ config }) => (config ? configValues(config) : new Map<string, JsonValue>()));
  const paths = [...new Set(values.flatMap((each) => [...each.keys()]))];
  const differing = paths.filter((path) => {
    const first = values[0]?.get(path);
    return path !== "name" && values.some((each) => !isDeepStrictEqual(each.get(path), first));
  });
  return runs.map((run, at) => {
    const own = differing.flatMap((path): [string, JsonValue][] => {
      const value = values[at]?.get(path);
      return value === undefined ? [] : [[path, value]];
    });
    return { ...servedRow(run), differs: Object.fromEntries(own) };
  });
}
