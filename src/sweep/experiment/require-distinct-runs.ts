import { realpathSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { configInvalid } from "../../config/config-invalid.js";
import type { ConfigIssue } from "../../errors.js";
import { readRunConfig } from "../../runs/run-config.js";
import { type RunManifest, readRunManifest } from "../../runs/run-manifest.js";
import { trialOfRun } from "../../runs/trial-identity.js";

/** The completed runs of an experiment and the plan that they belong to. */
interface PlannedRuns {
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  readonly runs: readonly { readonly arm: string; readonly directory: string }[];
}

/** A run as far as it can be confused with another. */
interface KnownRun {
  readonly arm: string;
  readonly seed: number;
  /** Its directory with links followed. */
  readonly directory: string;
  readonly manifest: RunManifest;
}

/**
 * Every run of an experiment is evidence of its own: no run counts twice, within an arm or in two, and each belongs to a planned arm and seed.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; what reading a run throws.
 */
export function requireDistinctRuns({ arms, seeds, runs }: PlannedRuns): void {
  const issues: ConfigIssue[] = [...repeated("arms", arms), ...repeated("seeds", seeds)];
  const known: KnownRun[] = [];
  for (const [at, { arm, directory }] of runs.entries()) {
    const run = { arm, seed: readRunConfig(directory).seed, directory: realpathSync(directory), manifest: readRunManifest(directory) };
    const problem = planProblem(run, arms, seeds) ?? known.map((earlier) => sharedWith(earlier, run)).find((found) => found !== undefined);
    if (problem !== undefined) issues.push({ path: `runs.${at}`, message: `${directory} ${problem}` });
    known.push(run);
  }
  if (issues.length > 0) throw configInvalid(issues);
}

function repeated(path: string, values: readonly (string | number)[]): ConfigIssue[] {
  const again = values.find((value, at) => values.indexOf(value) < at);
  return again === undefined ? [] : [{ path, message: `lists ${JSON.stringify(again)} more than once; list each one once` }];
}

function planProblem({ arm, seed }: KnownRun, arms: readonly string[], seeds: readonly number[]): string | undefined {
  if (!arms.includes(arm)) return `belongs to arm ${JSON.stringify(arm)}, which is not planned: the arms are ${arms.join(", ")}`;
  if (!seeds.includes(seed)) return `has seed ${seed}, which is not planned: the seeds are ${seeds.join(", ")}`;
  return undefined;
}

/** Why two runs are the same evidence; undefined where they are not. */
function sharedWith(earlier: KnownRun, run: KnownRun): string | undefined {
  if (earlier.directory === run.directory) {
    return earlier.arm === run.arm ? `is listed twice in arm ${run.arm}` : `is listed in arm ${earlier.arm} and in arm ${run.arm}: a run belongs to one arm`;
  }
  if (earlier.seed !== run.seed) return undefined;
  if (earlier.arm === run.arm) return `has seed ${run.seed}, as another run of arm ${run.arm} has (${earlier.directory}): one run for each arm and seed`;
  return isSameTraining(earlier.manifest, run.manifest)
    ? `repeats the training of ${earlier.directory}, with an equal configuration, text and environment: arms ${earlier.arm} and ${run.arm} have to differ`
    : undefined;
}

/** Whether two runs compute the same bits by all that they record. A run of a changed model differs from others in ways that its configuration does not show. */
function isSameTraining(one: RunManifest, other: RunManifest): boolean {
  const isPlain = one.model_changes.length === 0 && other.model_changes.length === 0;
  return (
    isPlain && trialOfRun(one) === trialOfRun(other) && one.package_version === other.package_version && isDeepStrictEqual(one.environment, other.environment)
  );
}
