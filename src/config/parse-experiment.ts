import type { z } from "zod";
import type { ConfigIssue } from "../errors.js";
import { configInvalid } from "./config-invalid.js";
import { configIssues } from "./config-issues.js";
import { type Experiment, experimentSchema } from "./experiment-schema.js";
import { isPlainObject } from "./json-value.js";

/**
 * Check a configuration and fill in its defaults.
 *
 * @param values any part of an experiment, as it was written.
 * @param sources source of the values, by dotted path, for the messages.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export function parseExperiment(values: unknown, sources: ReadonlyMap<string, string> = new Map(), earlier: readonly ConfigIssue[] = []): Experiment {
  const result = experimentSchema.safeParse(values);
  if (result.success && earlier.length === 0) return result.data;
  const issues = result.success ? [] : allIssues(result.error, values).map((issue) => withSource(issue, sources));
  throw configInvalid([...earlier, ...issues], result.error);
}

// zod checks the rules between fields only when every field is right: check them with the wrong fields left out too, so that nobody has to try twice.
function allIssues(error: z.ZodError, values: unknown): ConfigIssue[] {
  const issues = configIssues(error, values);
  if (!isPlainObject(values) || error.issues.some((issue) => issue.code === "custom")) return issues;
  const wrong = new Set(issues.map((issue) => issue.path));
  const rest = experimentSchema.safeParse(without(values, [...wrong]));
  const rules = (rest.error?.issues ?? []).filter((issue) => issue.code === "custom");
  for (const issue of rules) {
    const path = issue.path.join(".");
    const reads: unknown = issue.params?.["reads"];
    const involved = [path, ...(Array.isArray(reads) ? reads.map(String) : [])];
    if (!involved.some((field) => wrong.has(field))) issues.push({ path, message: issue.message });
  }
  return issues;
}

/** A copy without the values at these paths; of `init`, whose fields belong together, without all of it. */
function without(values: Record<string, unknown>, paths: readonly string[]): Record<string, unknown> {
  const kept = Object.entries(values).flatMap(([key, value]) => {
    if (paths.includes(key) || (key === "init" && paths.some((path) => path.startsWith("init.")))) return [];
    const below = paths.filter((path) => path.startsWith(`${key}.`)).map((path) => path.slice(key.length + 1));
    if (below.length === 0) return [[key, value]];
    return isPlainObject(value) ? [[key, without(value, below)]] : [];
  });
  return Object.fromEntries(kept);
}

/** The source of the value at a path, or of what it stands in, or of the first value in it. */
function withSource(issue: ConfigIssue, sources: ReadonlyMap<string, string>): ConfigIssue {
  const parts = issue.path.split(".");
  for (let length = parts.length; length > 0; length--) {
    const source = sources.get(parts.slice(0, length).join("."));
    if (source !== undefined) return { ...issue, source };
  }
  const below = [...sources].find(([path]) => path.startsWith(`${issue.path}.`));
  return below === undefined ? issue : { ...issue, source: below[1] };
}
