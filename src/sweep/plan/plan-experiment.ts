import { configHash } from "../../config/config-hash.js";
import { configInvalid } from "../../config/config-invalid.js";
import { checkpointSchema, recordSchema } from "../../config/record-schema.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { ConfigIssue } from "../../errors.js";
import type { Executor, Machine } from "../executors/executor.js";
import type { LoadedExperiment } from "../experiment/load-experiment.js";
import { storedRules } from "../experiment/rules.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import { flattenOverrides } from "../grammar/flatten-overrides.js";
import { refuseSetAxes } from "../grammar/load-base.js";
import { pointFrom } from "../grammar/point-from.js";
import { type Plan, planPoints, type Question, withArms } from "./plan.js";

/**
 * Plan an experiment: a sweep whose only axis is the arm. Each seed is trained in every arm before the next one, so that pairs are whole early.
 *
 * @throws {BhBridgeError} as `planPoints`; `CONFIG_INVALID` where an arm sets the seed or a field that is set for all runs, or where two arms are equal.
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
  const { plan, trialOf } = await planPoints({ name, base, points, rules: storedRules(rules), sourceOf }, executor, signal);
  const question: Question = {
    arms: Object.keys(arms),
    seeds,
    rules,
    measures,
    cells: cells.map(({ arm, seed }, index) => ({ arm, seed, trial: trialOf[index] ?? "" })),
  };
  refuseEqualArms(plan, question, sourceOf);
  return { ...plan, trials: withArms(plan.trials, question.cells), prune: null, question };
}

/**
 * Two arms that compute the same would share or repeat their runs, and a comparison of runs with themselves reads as evidence of no difference.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID`, naming every arm that equals an earlier one.
 */
export function refuseEqualArms(
  { trials, machine }: Pick<Plan, "trials" | "machine">,
  { cells }: Pick<Question, "cells">,
  sourceOf: (path: string) => string,
): void {
  const computedBy = new Map(trials.map(({ trial, config, corpus }) => [trial, `${corpus} ${configHash(computedPart(config, machine.device))}`]));
  const firstOf = new Map<string, { arm: string; trial: string }>();
  const issues = new Map<string, ConfigIssue>();
  for (const { arm, trial } of cells) {
    const computed = computedBy.get(trial) ?? trial;
    const first = firstOf.get(computed) ?? { arm, trial };
    firstOf.set(computed, first);
    if (first.arm === arm) continue;
    const what = first.trial === trial ? "has the same configuration as" : "differs in no field that changes the training from";
    const message = `${what} arm ${JSON.stringify(first.arm)}, defaults included, so their runs are no independent evidence. Change a field in one of them, or remove one`;
    issues.set(arm, { path: `arms.${arm}`, message, source: sourceOf(`arms.${arm}`) });
  }
  if (issues.size > 0) throw configInvalid([...issues.values()]);
}

/** A configuration with the fields set alike that change what is stored of a training, not its steps, and with the device that `auto` stands for. */
function computedPart(config: RunConfig, device: Machine["device"]): RunConfig {
  return { ...config, device: config.device === "auto" ? device : config.device, record: recordSchema.parse({}), checkpoint: checkpointSchema.parse({}) };
}
