import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { loadRunConfig } from "../../bridge/load-run-config.js";
import { configInvalid, nearestName } from "../../config/config-invalid.js";
import { isPlainObject } from "../../config/json-value.js";
import type { AliasValues } from "../../config/layers.js";
import { resolvePaths } from "../../config/paths-in-config.js";
import { isPresetName, presetNames } from "../../config/presets.js";
import type { ConfigSources, ResolvedConfig, RunInput } from "../../config/resolve-run-config.js";
import type { ConfigIssue } from "../../errors.js";
import type { SweepPoint } from "./expand-sweep.js";

/** What the command line sets for all trials. */
export interface BaseSources {
  /** Start of the trials if the file has no base: a preset or a file. */
  preset?: string | undefined;
  config?: string | undefined;
  aliases?: AliasValues | undefined;
  set?: readonly string[] | undefined;
}

/**
 * Complete the base of all trials: a preset's name, a file, or fields (default: the default preset).
 * @param directory where relative paths of `base` start; those of the command line start at `cwd`.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export async function loadBase(
  base: unknown,
  { preset, config, aliases, set }: BaseSources,
  { directory, cwd }: { directory: string; cwd: string },
): Promise<ResolvedConfig> {
  const over: ConfigSources = { aliases, set, cwd };
  if (preset !== undefined || config !== undefined) {
    if (base === undefined) return loadRunConfig({ ...over, preset, file: config });
    throw configInvalid([{ path: "base", message: "conflicts with --preset and --config, which also set the base. Use one of them" }]);
  }
  if (typeof base !== "string") return loadRunConfig({ ...over, input: resolvePaths(isPlainObject(base) ? base : {}, directory) as RunInput });
  if (isPresetName(base)) return loadRunConfig({ ...over, preset: base });
  const file = resolve(directory, base);
  if (existsSync(file)) return loadRunConfig({ ...over, file });
  const near = nearestName(base, presetNames);
  const meant = near === undefined ? "" : `; did you mean the preset "${near}"?`;
  throw configInvalid([{ path: "base", message: `${JSON.stringify(base)} is neither a preset nor an existing file${meant}` }]);
}

/** Refuse fields that are set for all trials and also vary between them. */
export function refuseSetAxes({ sources }: ResolvedConfig, points: readonly SweepPoint[], issues: ConfigIssue[]): void {
  const varying = new Set(points.flatMap(({ set }) => Object.keys(set)));
  for (const path of varying) {
    const source = sources.get(path);
    if (source?.startsWith("--"))
      issues.push({ path, message: `varies between the trials, but ${source} sets it for all of them. Remove one of them`, source });
  }
}
