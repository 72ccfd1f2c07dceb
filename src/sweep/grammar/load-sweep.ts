import { basename, dirname, extname } from "node:path";
import type { z } from "zod";
import { configInvalid, nearestName, shownValue } from "../../config/config-invalid.js";
import { isPlainObject, type JsonValue, valueAt } from "../../config/json-value.js";
import type { Layer } from "../../config/layers.js";
import { codePaths } from "../../config/own-code.js";
import { isPathField, resolvePath } from "../../config/paths-in-config.js";
import { readWrittenObject } from "../../config/read-config-file.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { type AxisText, parseAxisText, parseSeedsText } from "./axis.js";
import { expandSweep, type SweepPoint } from "./expand-sweep.js";
import { type BaseSources, loadBase, refuseSetAxes } from "./load-base.js";
import { type SweepDefinition, type SweepSpec, sweepSchema } from "./sweep-schema.js";

/** Resolve the relative paths of a point. `code: {path}` is `code: path`: over the code of the base it would keep that one's source. */
export function pointFrom({ set: written, locationOf }: SweepPoint, directory: string): SweepPoint {
  const pathOfCode = (path: string) => codePaths.find((each) => path === `${each}.path`) ?? path;
  const absolute = (path: string, value: JsonValue) => [path, isPathField(path) ? (resolvePath(value, directory) as JsonValue) : value];
  return { set: Object.fromEntries(Object.entries(written).map(([path, value]) => absolute(pathOfCode(path), value))), locationOf };
}

/** Schema problems of a written sweep or experiment, with their positions. @param names its top-level fields. */
export function writtenIssues(error: z.ZodError, values: unknown, names: readonly string[], sourceOf: (path: string) => string): ConfigIssue[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => issueAt([...issue.path, key], unknownField(issue.path, key, names), sourceOf));
    const value = valueAt(issue.path, values);
    const message = value === undefined ? "is missing" : `${shownValue(value)} is not accepted: ${issue.message}`;
    return [issueAt(issue.path, message, sourceOf)];
  });
}

function unknownField(parent: readonly PropertyKey[], key: string, names: readonly string[]): string {
  if (parent.length > 0) return "unknown field";
  const near = nearestName(key, names);
  return near === undefined ? `unknown field; there are ${names.join(", ")}` : `unknown field; did you mean ${near}?`;
}

function issueAt(path: readonly PropertyKey[], message: string, sourceOf: (path: string) => string): ConfigIssue {
  const dotted = path.join(".");
  return { path: dotted || "(the whole file)", message, source: sourceOf(dotted) };
}

/** Sources of a sweep. The command line overrides the file. */
interface SweepSources extends BaseSources {
  file?: string | undefined;
  input?: SweepDefinition | undefined;
  /** `path=values`, each. */
  grid?: readonly string[] | undefined;
  zip?: readonly string[] | undefined;
  seeds?: string | undefined;
  name?: string | undefined;
  cwd?: string;
}

/** A sweep as read: complete base, all points. */
export interface LoadedSweep {
  name: string;
  spec: SweepSpec;
  base: ResolvedConfig;
  points: SweepPoint[];
  /** Source of a path of the sweep: `sigma.yaml:3:5`, `--grid`. */
  sourceOf(path: string): string;
}

/** Read a sweep, complete its base and list its points. @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once. */
export async function loadSweep(sources: SweepSources): Promise<LoadedSweep> {
  const { cwd = process.cwd() } = sources;
  const issues: ConfigIssue[] = [];
  const written = await readWritten(sources, cwd);
  const { values, sourceOf } = withCommandLine(written, sources, cwd, issues);
  const parsed = sweepSchema.safeParse(values);
  if (!parsed.success) issues.push(...writtenIssues(parsed.error, values, Object.keys(sweepSchema.shape), sourceOf));
  const spec = parsed.data ?? {};
  const load = () => loadBase(values["base"], sources, { directory: written.directory, cwd });
  const base = await withIssues((issue) => issues.push(issue), load);
  const points = parsed.success ? expandSweep(spec, issues).map((point) => pointFrom(point, written.directory)) : [];
  if (base) refuseSetAxes(base, points, issues);
  if (!base || issues.length > 0) throw configInvalid(issues.map((issue) => ({ source: sourceOf(issue.path), ...issue })));
  return { name: sources.name ?? spec.name ?? written.name ?? base.config.name ?? base.preset, spec, base, points, sourceOf };
}

/** The sweep as written, its name if it is a file, and the directory where its relative paths start. */
async function readWritten({ file, input }: SweepSources, cwd: string): Promise<Layer & { directory: string; name?: string }> {
  if (file === undefined) return { values: { ...input }, sourceOf: () => "input", directory: cwd };
  const { file: path, values, sourceOf } = await readWrittenObject(file, cwd, { what: "a sweep", definedBy: "defineSweep" });
  return { values, sourceOf, directory: dirname(path), name: basename(path, extname(path)) };
}

/** Merge the command line into the file: an axis replaces the file's axis of the same field. */
function withCommandLine({ values, sourceOf }: Layer, { grid = [], zip = [], seeds }: SweepSources, cwd: string, issues: ConfigIssue[]): Layer {
  const added = new Map<string, string>();
  const axes = (part: "grid" | "zip", texts: readonly string[]) => {
    if (texts.length === 0) return {};
    const present = values[part];
    const own = texts.flatMap((text) => parseAxisText(text, `--${part}`, issues) ?? []).map((axis) => withAbsolutePaths(axis, cwd));
    for (const { path } of own) added.set(`${part}.${path}`, `--${part}`);
    return { [part]: { ...(isPlainObject(present) && present), ...Object.fromEntries(own.map((axis) => [axis.path, axis.values])) } };
  };
  if (seeds !== undefined) added.set("seeds", "--seeds");
  const merged = { ...values, ...axes("grid", grid), ...axes("zip", zip), ...(seeds !== undefined && { seeds: parseSeedsText(seeds) }) };
  return { values: merged, sourceOf: (path) => added.get(path) ?? sourceOf(path) };
}

/** Paths on the command line start in the working directory. */
function withAbsolutePaths({ path, values }: AxisText, cwd: string): AxisText {
  if (!isPathField(path) || !Array.isArray(values)) return { path, values };
  return { path, values: values.map((value) => resolvePath(value, cwd) as typeof value) };
}

/** Run `load`, reporting its configuration problems one by one; undefined if there are any. */
export async function withIssues<Value>(report: (issue: ConfigIssue) => void, load: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.issues === undefined) throw error;
    error.issues.forEach(report);
    return undefined;
  }
}
