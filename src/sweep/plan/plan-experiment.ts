import { resolve } from "node:path";
import { configHash } from "../../config/config-hash.js";
import { configInvalid } from "../../config/config-invalid.js";
import { checkpointSchema, recordSchema } from "../../config/record-schema.js";
import { type ResolvedConfig, storedBase } from "../../config/resolve-run-config.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { count } from "../../text/format.js";
import type { Executor, Machine } from "../executors/executor.js";
import { type LoadedExperiment, plannedSeeds } from "../experiment/load-experiment.js";
import { storedRules } from "../experiment/rules.js";
import { flattenOverrides, type SweepPoint } from "../grammar/expand-sweep.js";
import { refuseSetAxes } from "../grammar/load-base.js";
import { type LoadedSweep, pointFrom } from "../grammar/load-sweep.js";
import { type Plan, planPoints, type Question, withArms } from "./plan.js";
import { readPlan } from "./plan-directory.js";
import { planSearch } from "./plan-search.js";

/**
 * Plan an experiment: a sweep whose only axis is the arm. Each seed is trained in every arm before the next one, so that pairs complete early.
 * @throws {BhBridgeError} as `planPoints`; `CONFIG_INVALID` if an arm sets the seed or a field set for all runs, or if two arms are equal.
 */
export async function planExperiment(
  loaded: LoadedExperiment,
  base: ResolvedConfig,
  executor: Executor,
  signal?: AbortSignal,
): Promise<Plan & { question: Question }> {
  const { name, arms, rules, measures, directory, sourceOf } = loaded;
  const seeds = plannedSeeds(loaded, base.config.seed);
  const cells = seeds.flatMap((seed) => Object.entries(arms).map(([arm, values]) => ({ arm, seed, set: { ...flattenOverrides(values), seed } })));
  const points: SweepPoint[] = cells.map(({ arm, set }) =>
    pointFrom({ set, locationOf: (path) => (path === "seed" ? "seeds" : `arms.${arm}.${path}`) }, directory),
  );
  const issues: ConfigIssue[] = [];
  for (const [arm, values] of Object.entries(arms)) {
    if (Object.hasOwn(flattenOverrides(values), "seed")) {
      issues.push({ path: `arms.${arm}.seed`, message: "arms are paired by seed: use seeds to set them", source: sourceOf(`arms.${arm}.seed`) });
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
 * Arms that compute the same would share or repeat their runs, and comparing a run with itself looks like evidence of no difference.
 * @throws {BhBridgeError} `CONFIG_INVALID`, naming every arm that equals an earlier one.
 */
function refuseEqualArms({ trials, machine }: Pick<Plan, "trials" | "machine">, { cells }: Pick<Question, "cells">, sourceOf: (path: string) => string): void {
  const computedBy = new Map(trials.map(({ trial, config, corpus }) => [trial, `${corpus} ${configHash(computedPart(config, machine.device))}`]));
  const firstOf = new Map<string, { arm: string; trial: string }>();
  const issues = new Map<string, ConfigIssue>();
  for (const { arm, trial } of cells) {
    const computed = computedBy.get(trial) ?? trial;
    const first = firstOf.get(computed) ?? { arm, trial };
    firstOf.set(computed, first);
    if (first.arm === arm) continue;
    const what = first.trial === trial ? "has the same configuration as" : "trains exactly like";
    const message = `${what} arm ${JSON.stringify(first.arm)}, defaults included, so their runs are not independent evidence. Change a field in one of them, or remove one`;
    issues.set(arm, { path: `arms.${arm}`, message, source: sourceOf(`arms.${arm}`) });
  }
  if (issues.size > 0) throw configInvalid([...issues.values()]);
}

/** A configuration without the fields that change only what is recorded, and with the device resolved. */
function computedPart(config: RunConfig, device: Machine["device"]): RunConfig {
  return { ...config, device: config.device === "auto" ? device : config.device, record: recordSchema.parse({}), checkpoint: checkpointSchema.parse({}) };
}

/** Plan a sweep; for a search, its known points and the next ones. @throws {BhBridgeError} as `planPoints` and `planSearch`. */
export async function planSweep(loaded: LoadedSweep, by: Parameters<typeof planSearch>[2], signal?: AbortSignal): Promise<Plan> {
  const { name, spec, base, points, sourceOf } = loaded;
  if (spec.optuna) return planSearch(loaded, spec.optuna, by, signal);
  const prune = spec.prune ?? null;
  const { plan } = await planPoints({ name, base, points, rules: prune, sourceOf }, by.executor, signal);
  return { ...plan, prune, question: null };
}

/**
 * Read the plan of a directory, to resume it without its original command. `plan` throws `USAGE` if its trials would differ now, and as `planPoints`.
 *
 * @param texts present paths of its texts, in their order, if they have moved.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`; `USAGE` for more texts than the plan has.
 */
export function planAgain(path: string, texts: readonly string[] = []) {
  const directory = resolve(path);
  const { name, hash, preset, base: stored, code, prune, question, trials } = readPlan(directory);
  const base = storedBase(withTexts(stored, texts), preset);
  return {
    base,
    question,
    async plan(executor: Executor, signal?: AbortSignal): Promise<Plan> {
      const points = trials.map(({ set }) => ({ set, locationOf: (at: string) => at }));
      const rules = question ? storedRules(question.rules) : prune;
      const { plan, trialOf } = await planPoints({ name, base, points, code, rules, sourceOf: () => "plan.json" }, executor, signal);
      if (question) refuseEqualArms(plan, question, () => "plan.json");
      if (plan.hash === hash && trials.every(({ trial }, index) => trial === trialOf[index])) {
        return { ...plan, trials: withArms(plan.trials, question?.cells ?? []), prune, question };
      }
      throw new BhBridgeError(
        "USAGE",
        `${directory} cannot be resumed from its plan alone: its text or the name of its file, its device or its initial files differ here, or Optuna chooses its points. Run its original command again with --retry`,
      );
    },
  };
}

function withTexts(stored: Record<string, unknown>, texts: readonly string[]): Record<string, unknown> {
  if (texts.length === 0) return stored;
  const data = stored["data"] as RunConfig["data"];
  const known = Array.isArray(data.corpus) ? data.corpus.length : 1;
  if (texts.length > known) throw new BhBridgeError("USAGE", `--corpus: the plan has ${count(known, "text")}, got ${texts.length} paths`);
  const paths = texts.map((text) => resolve(text));
  const corpus = Array.isArray(data.corpus) ? data.corpus.map((file, index) => ({ ...file, path: paths[index] ?? file.path })) : paths[0];
  return { ...stored, data: { ...data, corpus } };
}
