import { isDeepStrictEqual } from "node:util";
import { configValues, type JsonValue } from "../../config/json-value.js";
import type { ConfigIssue } from "../../errors.js";
import { axisValues, randomPoints, sobolDraws } from "./axis.js";
import { type SweepSpec, seedsOf } from "./sweep-schema.js";

/** Values by dotted path that a trial sets over the base. */
export type Overrides = Readonly<Record<string, JsonValue>>;

/**
 * Flatten part of a configuration to values by dotted path. Dotted keys and nested objects are equivalent; the later of two values for a path wins. Lists and
 * empty objects are values.
 */
export function flattenOverrides(values: Readonly<Record<string, unknown>>): Overrides {
  return Object.fromEntries(configValues(values));
}

/** One point of a sweep. */
export interface SweepPoint {
  set: Overrides;
  /** Where the sweep sets a value: `grid.seed`, `cases`. */
  locationOf(path: string): string;
}

/** A product of axes grows quickly; nobody waits for more trials. */
const maxPoints = 100_000;

/**
 * The points of a sweep in order: combinations of `grid` with rows of `zip`, without `exclude`; then `cases`, `random` and `sobol`, each with every seed. A
 * sweep without these has only its base.
 * @param issues receives conflicts between the parts.
 */
export function expandSweep(spec: SweepSpec, issues: ConfigIssue[]): SweepPoint[] {
  const { grid = {}, zip = {}, cases = [], exclude = [], random, sobol, seeds } = spec;
  if (spec.optuna) {
    refuseBesideSearch(spec, issues);
    return []; // they depend on results
  }
  for (const path of Object.keys(grid).filter((each) => Object.hasOwn(zip, each))) {
    issues.push({ path: `zip.${path}`, message: "is also an axis of grid. Remove one of them" });
  }
  if (seeds !== undefined) refuseSeedAxis(spec, issues);
  const rows = zipRows(zip, issues);
  const combinations = Object.values(grid).reduce((product, axis) => product * axisValues(axis).length, rows.length);
  const isProduct = Object.keys(grid).length + Object.keys(zip).length > 0 || (cases.length === 0 && !random && !sobol);
  const all = (isProduct ? combinations : 0) + cases.length + (random?.trials ?? 0) + (sobol?.trials ?? 0);
  const seedValues = seeds === undefined ? [] : seedsOf(seeds);
  if (all * Math.max(1, seedValues.length) > maxPoints) {
    issues.push({ path: "grid", message: `these are ${all * Math.max(1, seedValues.length)} trials; a sweep may have ${maxPoints}` });
    return [];
  }
  const isKept = isNotIn(exclude);
  const pointsAt = (locationOf: SweepPoint["locationOf"]) => (values: Values) => ({ set: flattenOverrides(values), locationOf });
  const points: SweepPoint[] = [
    ...(isProduct ? product(grid, rows) : []).map(pointsAt((path) => placeOfAxis(path, { grid, zip }))).filter(isKept),
    ...cases.map(pointsAt(() => "cases")),
    ...(random ? randomPoints(random) : []).map(pointsAt((path) => `random.over.${path}`)).filter(isKept),
    ...(sobol ? sobolDraws(sobol) : []).map(pointsAt((path) => `sobol.over.${path}`)).filter(isKept),
  ];
  if (seeds === undefined) return points;
  return points.flatMap(({ set, locationOf }) =>
    seedValues.map((seed) => ({ set: { ...set, seed }, locationOf: (path: string) => (path === "seed" ? "seeds" : locationOf(path)) })),
  );
}

/** The axis that sets a path: its own, or that of a parent object. */
function placeOfAxis(path: string, parts: Readonly<Record<string, Axes>>): string {
  for (const [part, axes] of Object.entries(parts)) {
    const axis = Object.keys(axes).find((each) => path === each || path.startsWith(`${each}.`));
    if (axis !== undefined) return `${part}.${axis}`;
  }
  return "grid";
}

type Values = Readonly<Record<string, JsonValue>>;
type Axes = NonNullable<SweepSpec["grid"]>;

function product(grid: Axes, rows: readonly Values[]): Values[] {
  return Object.entries(grid).reduceRight<Values[]>(
    (points, [path, axis]) => axisValues(axis).flatMap((value) => points.map((point) => ({ [path]: value, ...point }))),
    [...rows],
  );
}

/** The rows of linked axes; without axes, one row that sets nothing. */
function zipRows(zip: Axes, issues: ConfigIssue[]): Values[] {
  const axes = Object.entries(zip).map(([path, axis]): [string, JsonValue[]] => [path, axisValues(axis)]);
  const lengths = new Set(axes.map(([, values]) => values.length));
  if (lengths.size > 1) {
    const listed = axes.map(([path, values]) => `${path} has ${values.length}`).join(", ");
    issues.push({ path: "zip", message: `linked axes must have equal lengths: ${listed}` });
  }
  const [length = 1] = lengths;
  return Array.from({ length }, (_, row) => Object.fromEntries(axes.map(([path, values]) => [path, values[row] ?? null])));
}

function isNotIn(exclude: readonly Values[]): (point: SweepPoint) => boolean {
  const excluded = exclude.map((values) => Object.entries(flattenOverrides(values)));
  return ({ set }) => !excluded.some((values) => values.every(([path, value]) => isDeepStrictEqual(set[path], value)));
}

function refuseBesideSearch(spec: SweepSpec, issues: ConfigIssue[]): void {
  for (const part of ["grid", "zip", "cases", "exclude", "random", "sobol"] as const) {
    if (spec[part] !== undefined) issues.push({ path: part, message: "conflicts with optuna, which chooses the points. Remove one of them" });
  }
  if (Object.hasOwn(spec.optuna?.over ?? {}, "seed")) issues.push({ path: "optuna.over.seed", message: "use seeds to set the seeds of every point" });
}

function refuseSeedAxis({ grid = {}, zip = {} }: SweepSpec, issues: ConfigIssue[]): void {
  for (const [part, axes] of Object.entries({ grid, zip })) {
    if (Object.hasOwn(axes, "seed")) issues.push({ path: `${part}.seed`, message: "conflicts with seeds. Remove one of them" });
  }
}
