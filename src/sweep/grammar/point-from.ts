import type { JsonValue } from "../../config/json-value.js";
import { isPathField, resolvePath } from "../../config/paths-in-config.js";
import type { SweepPoint } from "./expand-sweep.js";

/** A point whose relative paths start at a folder. */
export function pointFrom({ set, placeOf }: SweepPoint, directory: string): SweepPoint {
  if (!Object.keys(set).some(isPathField)) return { set, placeOf };
  const absolute = Object.entries(set).map(([path, value]) => [path, isPathField(path) ? (resolvePath(value, directory) as JsonValue) : value]);
  return { set: Object.fromEntries(absolute), placeOf };
}
