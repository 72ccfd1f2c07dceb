import { presentPath } from "../config/old-engine-fields.js";
import { type ResolvedConfig, storedBase } from "../config/resolve-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { assignmentLayer } from "../config/set-layer.js";
import { valueAt } from "../config/value-at.js";
import { readPlan } from "./plan/plan-file.js";
import { laidOver } from "./plan/plan-trials.js";
import type { SweepTrial } from "./sweep-document.js";

/** The value that a field has in a trial, in its complete configuration; undefined where it has none. */
export type SettingOf = (set: SweepTrial["set"], path: string) => unknown;

/**
 * Fields of the trials of a sweep or an experiment that the trials themselves do not set: those of its base.
 *
 * Fields of a trial with weights of its own (`model.from`) are unknown here, since they depend on a file.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`; the returned function `CONFIG_INVALID`, for a base that this version refuses.
 */
export function planSettings(directory: string): SettingOf {
  const { preset, base: stored } = readPlan(directory);
  let base: ResolvedConfig | undefined;
  const known = new Map<string, RunConfig>(); // trials that differ in their seed alone share one
  return (set, path) => {
    if (Object.hasOwn(set, "model.from")) return undefined;
    const { seed: _, ...values } = set;
    const key = JSON.stringify(values);
    base ??= storedBase(stored, preset);
    const layer = assignmentLayer(Object.entries(values).map(([at, value]) => ({ path: at, value, source: "plan.json" })));
    const config = known.get(key) ?? laidOver(base, layer);
    known.set(key, config);
    return valueAt(presentPath(path).split("."), config);
  };
}
