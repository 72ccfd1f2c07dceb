import { configInvalid } from "../../config/config-invalid.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import type { ConfigIssue } from "../../errors.js";
import type { Executor } from "../executors/executor.js";
import type { LoadedExperiment } from "../experiment/load-experiment.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import { flattenOverrides } from "../grammar/flatten-overrides.js";
import { refuseSetAxes } from "../grammar/load-base.js";
import { pointFrom } from "../grammar/point-from.js";
import { type Plan, planPoints, type Question } from "./plan.js";

/**
 * Plan an experiment: a sweep whose only axis is the arm. Each seed is trained in every arm before the next one, so that pairs are whole early.
 *
 * @throws {BhBridgeError} as `planPoints`; `CONFIG_INVALID` where an arm sets the seed, or a field that is set for all runs.
 */
export async function planExperiment(
  loaded: LoadedExperiment,
  base: ResolvedConfig,
  executor: Executor,
  signal?: AbortSignal,
): Promise<Plan & { question: Question }> {
  const { name, arms, rules, measures, directory, sourceOf } = loaded;
  const seeds = loaded.seeds ?? [base.config.seed];
  const cells = seeds.flatMap((seed) => Object.entries(arms).map(([arm, values]) => ({ arm, seed, set: { ...flattenOverrides(values), seed } })));
  const points: SweepPoint[] = cells.map(({ arm, set }) =>
    pointFrom({ set, placeOf: (path) => (path === "seed" ? "seeds" : `arms.${arm}.${path}`) }, directory),
  );
  const issues: ConfigIssue[] = [];
  for (const [arm, values] of Object.entries(arms)) {
    if (Object.hasOwn(flattenOverrides(values), "seed")) {
      issues.push({ path: `arms.${arm}.seed`, message: "arms are paired by seed: seeds says which", source: sourceOf(`arms.${arm}.seed`) });
    }
  }
  refuseSetAxes(base, points, issues);
  if (issues.length > 0) throw configInvalid(issues);
  const { plan, trialOf } = await planPoints({ name, base, points, rules, sourceOf }, executor, signal);
  const question: Question = {
    arms: Object.keys(arms),
    seeds,
    rules,
    measures,
    cells: cells.map(({ arm, seed }, index) => ({ arm, seed, trial: trialOf[index] ?? "" })),
  };
  return { ...plan, prune: null, question };
}
