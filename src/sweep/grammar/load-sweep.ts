import { existsSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { loadRunConfig } from "../../bridge/load-run-config.js";
import type { AliasValues } from "../../config/aliases.js";
import { configInvalid } from "../../config/config-invalid.js";
import { isPlainObject } from "../../config/json-value.js";
import type { Layer } from "../../config/layer.js";
import { nearestName } from "../../config/nearest-name.js";
import { isPathField, resolvePaths } from "../../config/paths-in-config.js";
import { isPresetName, presetNames } from "../../config/presets.js";
import { readWrittenObject } from "../../config/read-config-file.js";
import type { ConfigSources, ResolvedConfig, RunInput } from "../../config/resolve-run-config.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { type AxisText, parseAxisText, parseSeedsText } from "./axis-text.js";
import type { SweepDefinition } from "./define-sweep.js";
import { expandSweep, type SweepPoint } from "./expand-sweep.js";
import { type SweepSpec, sweepSchema } from "./sweep-schema.js";
import { writtenIssues } from "./written-issues.js";

/** Where a sweep comes from. What the command line says is laid over the file. */
interface SweepSources {
  /** A JSON, YAML, TypeScript or JavaScript file. */
  file?: string | undefined;
  /** An object, as a caller of the API gives it. */
  input?: SweepDefinition | undefined;
  /** What the trials start from, where the sweep has no base: a preset, a file. */
  preset?: string | undefined;
  config?: string | undefined;
  /** `path=values`, each. */
  grid?: readonly string[] | undefined;
  zip?: readonly string[] | undefined;
  seeds?: string | undefined;
  name?: string | undefined;
  /** Values that every trial has. */
  aliases?: AliasValues | undefined;
  set?: readonly string[] | undefined;
  cwd?: string;
}

/** A sweep that has been read: its base complete, its points listed. */
export interface LoadedSweep {
  name: string;
  spec: SweepSpec;
  base: ResolvedConfig;
  points: SweepPoint[];
  /** Where a path of the sweep stands: `sigma.yaml:3:5`, `--grid`. */
  sourceOf(path: string): string;
}

/**
 * Read a sweep, complete its base, and list its points.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export async function loadSweep(sources: SweepSources): Promise<LoadedSweep> {
  const { cwd = process.cwd() } = sources;
  const issues: ConfigIssue[] = [];
  const written = await readWritten(sources, cwd);
  const { values, sourceOf } = withCommandLine(written, sources, cwd, issues);
  const parsed = sweepSchema.safeParse(values);
  if (!parsed.success) issues.push(...writtenIssues(parsed.error, values, Object.keys(sweepSchema.shape), sourceOf));
  const spec = parsed.data ?? {};
  const base = await withIssues(issues, () => loadBase(values["base"], sources, { directory: written.directory, cwd }));
  const points = parsed.success ? expandSweep(spec, issues).map((point) => pointFrom(point, written.directory)) : [];
  if (base) refuseSetAxes(base, points, issues);
  if (!base || issues.length > 0) throw configInvalid(issues.map((issue) => ({ source: sourceOf(issue.path), ...issue })));
  return { name: sources.name ?? spec.name ?? written.name ?? base.config.name ?? base.preset, spec, base, points, sourceOf };
}

interface WrittenSweep extends Layer {
  /** Where its relative paths start. */
  directory: string;
  /** What its file is called. */
  name?: string;
}

async function readWritten({ file, input }: SweepSources, cwd: string): Promise<WrittenSweep> {
  if (file === undefined) return { values: { ...input }, sourceOf: () => "input", directory: cwd };
  const { file: path, values, sourceOf } = await readWrittenObject(file, cwd, { what: "a sweep", definedBy: "defineSweep" });
  return { values, sourceOf, directory: dirname(path), name: basename(path, extname(path)) };
}

/** The written sweep with what the command line adds: an axis of one field replaces that of the file. */
function withCommandLine({ values, sourceOf }: Layer, { grid = [], zip = [], seeds }: SweepSources, cwd: string, issues: ConfigIssue[]): Layer {
  const added = new Map<string, string>();
  const axes = (part: "grid" | "zip", texts: readonly string[]) => {
    const present = values[part];
    if (texts.length === 0) return present === undefined ? {} : { [part]: present };
    const own = texts.flatMap((text) => parseAxisText(text, `--${part}`, issues) ?? []).map((axis) => withAbsolutePaths(axis, cwd));
    for (const { path } of own) added.set(`${part}.${path}`, `--${part}`);
    return { [part]: { ...(isPlainObject(present) && present), ...Object.fromEntries(own.map((axis) => [axis.path, axis.values])) } };
  };
  if (seeds !== undefined) added.set("seeds", "--seeds");
  const merged = { ...values, ...axes("grid", grid), ...axes("zip", zip), ...(seeds !== undefined && { seeds: parseSeedsText(seeds) }) };
  return { values: merged, sourceOf: (path) => added.get(path) ?? sourceOf(path) };
}

/** Paths on the command line start where it was typed, whatever file it is laid over. */
function withAbsolutePaths({ path, values }: AxisText, cwd: string): AxisText {
  if (!isPathField(path) || !Array.isArray(values)) return { path, values };
  return { path, values: values.map((value) => (typeof value === "string" ? resolve(cwd, value) : value)) };
}

/** A point whose relative paths start at a folder. */
function pointFrom({ set, placeOf }: SweepPoint, directory: string): SweepPoint {
  if (!Object.keys(set).some(isPathField)) return { set, placeOf };
  const absolute = Object.entries(set).map(([path, value]) => [path, isPathField(path) && typeof value === "string" ? resolve(directory, value) : value]);
  return { set: Object.fromEntries(absolute), placeOf };
}

/** What every trial starts from: a preset's name, a file, or fields; with nothing said, the default preset. */
async function loadBase(
  base: unknown,
  { preset, config, aliases, set }: SweepSources,
  { directory, cwd }: { directory: string; cwd: string },
): Promise<ResolvedConfig> {
  const over: ConfigSources = { aliases, set, cwd };
  if (preset !== undefined || config !== undefined) {
    if (base === undefined) return loadRunConfig({ ...over, preset, file: config });
    throw configInvalid([{ path: "base", message: "says what the trials start from, and --preset or --config as well: one of the two" }]);
  }
  if (typeof base !== "string") return loadRunConfig({ ...over, input: resolvePaths(isPlainObject(base) ? base : {}, directory) as RunInput });
  if (isPresetName(base)) return loadRunConfig({ ...over, preset: base });
  const file = resolve(directory, base);
  if (existsSync(file)) return loadRunConfig({ ...over, file });
  const near = nearestName(base, presetNames);
  const meant = near === undefined ? "" : `; did you mean the preset "${near}"?`;
  throw configInvalid([{ path: "base", message: `${JSON.stringify(base)} is neither a preset nor a file that is there${meant}` }]);
}

/** A value that is set for all trials and an axis over it contradict each other. */
function refuseSetAxes({ sources }: ResolvedConfig, points: readonly SweepPoint[], issues: ConfigIssue[]): void {
  const axes = new Set(points.flatMap(({ set }) => Object.keys(set)));
  for (const path of axes) {
    const source = sources.get(path);
    if (source?.startsWith("--")) issues.push({ path, message: `varies in this sweep, and is set for all of its trials: leave ${source} out`, source });
  }
}

async function withIssues<Value>(issues: ConfigIssue[], load: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.issues === undefined) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}
