import { resolve } from "node:path";
import { isPathField } from "../../config/paths-in-config.js";
import type { SweepPoint } from "./expand-sweep.js";

/** A point whose relative paths start at a folder. */
export function pointFrom({ set, placeOf }: SweepPoint, directory: string): SweepPoint {
  if (!Object.keys(set).some(isPathField)) return { set, placeOf };
  const absolute = Object.entries(set).map(([path, value]) => [path, isPathField(path) && typeof value === "string" ? resolve(directory, value) : value]);
  return { set: Object.fromEntries(absolute), placeOf };
}
