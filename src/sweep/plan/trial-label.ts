import { isDeepStrictEqual } from "node:util";
import { requireGpu } from "../../bridge/prepared-run.js";
import { batchedRuns } from "../../config/engine-schema.js";
import { BhBridgeError } from "../../errors.js";
import { printable } from "../../text/escaping.js";
import { count } from "../../text/format.js";
import type { Executor } from "../executors/executor.js";
import { stackOf, type TrialTask } from "../pool/trial-task.js";
import type { SweepTrial } from "../sweep-document.js";
import type { Plan } from "./plan.js";
import type { Trial } from "./plan-trials.js";

type LabelledTrial = { readonly arm?: string | undefined; readonly set: SweepTrial["set"] };

/** Label of a run of an experiment: `rmsnorm-seed-42`. */
export function armLabel(arm: string, { seed }: SweepTrial["set"]): string {
  return seed === undefined ? arm : `${arm}-seed-${JSON.stringify(seed)}`;
}

/** The values a trial sets, by full path: `init.sigma=1e-5 seed=3`; `base` if it sets none. In an experiment, arm and seed. */
export function trialLabel({ arm, set }: LabelledTrial): string {
  return arm === undefined ? settings(Object.entries(set)) : printable(armLabel(arm, set));
}

/** Short labels that distinguish trials: only differing fields, without their sections if unambiguous. */
export function distinctLabels(trials: readonly LabelledTrial[]): (trial: LabelledTrial) => string {
  const [first] = trials;
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  const varying = paths.filter((path) => trials.some(({ set }) => !isDeepStrictEqual(set[path], first?.set[path])));
  const shortOf = (path: string) => path.split(".").at(-1) ?? path;
  const isUnique = (path: string) => varying.filter((other) => shortOf(other) === shortOf(path)).length === 1;
  const titles = new Map(varying.map((path) => [path, isUnique(path) ? shortOf(path) : path]));
  return (trial) => {
    if (trial.arm !== undefined || varying.length === 0) return trialLabel(trial);
    return settings(Object.entries(trial.set).flatMap(([path, value]) => (titles.has(path) ? [[titles.get(path) ?? path, value] as const] : [])));
  };
}

function settings(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([title, value]) => `${title}=${typeof value === "string" ? printable(value) : JSON.stringify(value)}`).join(" ") || "base";
}

/** The task of a trial without a run. The run is named after arm and seed, or after the values the trial sets. @param out folder for its run. */
export function taskOf(plan: Plan, planned: Trial, out: string): TrialTask {
  const { base, prune } = plan;
  const { trial, config, corpus } = planned;
  return { trial, config: { ...config, name: nameOf(plan, planned) }, preset: base.preset, corpus, out, run: null, prune };
}

const maxNameLength = 200;

/** In an experiment only an arm's own name replaces arm and seed, because the base's name would be that of all runs. */
function nameOf({ name }: Plan, { arm, config, set }: Trial): string {
  if (arm !== undefined && !Object.hasOwn(set, "name")) return armLabel(arm, set);
  if (config.name !== undefined) return config.name;
  const settings = Object.entries(set).map(([path, value]) => `${path}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [name, ...settings].join(" ").slice(0, maxNameLength);
}

/** Refuse batched runs that the trials do not fill, or that the executor does not support. @throws {BhBridgeError} `USAGE`. */
export function requireStacks(trials: readonly Trial[], { name, trainsAlone }: Pick<Executor, "name" | "trainsAlone">): void {
  const stacks = new Map<string, Trial[]>();
  for (const trial of trials) {
    const stack = stackOf(trial);
    if (stack !== undefined) stacks.set(stack, [...(stacks.get(stack) ?? []), trial]);
  }
  for (const alike of stacks.values()) {
    const width = alike[0] === undefined ? 1 : batchedRuns(alike[0].config);
    if (trainsAlone)
      throw new BhBridgeError(
        "USAGE",
        `engine.batched_runs is ${width}, and executor ${name} trains each trial alone: use executor local, or engine.batched_runs=1`,
      );
    if (alike.length < width) {
      throw new BhBridgeError(
        "USAGE",
        `engine.batched_runs is ${width}, and ${count(alike.length, "trial")} of this plan can be computed together: they may differ only in seeds, init and training.learning_rate. Set engine.batched_runs to at most ${alike.length}`,
      );
    }
  }
}

/** Refuse engine `fast` where trials would run on a CPU. @param left the trials that are left to train. @throws {BhBridgeError} `CONFIG_INVALID`. */
export function requireGpus(left: readonly Pick<Trial, "config">[], machine: Plan["machine"]): void {
  for (const { config } of left) requireGpu(config, config.device === "auto" ? machine.device : config.device);
}
