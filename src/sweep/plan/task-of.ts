import type { TrialTask } from "../pool/trial-task.js";
import { armLabel } from "../trial-label.js";
import type { Plan } from "./plan.js";
import type { Trial } from "./plan-trials.js";

/** What a worker is given of a trial that has no run yet; its run is named after arm and seed, or after what the trial sets. @param out folder for its run. */
export function taskOf(plan: Plan, planned: Trial, out: string): TrialTask {
  const { base, prune } = plan;
  const { trial, config, corpus } = planned;
  return { trial, config: { ...config, name: nameOf(plan, planned) }, preset: base.preset, corpus, out, run: null, prune };
}

const longestName = 200;

/** A name of the base would be that of all runs of an experiment, so that only an arm's own name replaces arm and seed. */
function nameOf({ name }: Plan, { arm, config, set }: Trial): string {
  if (arm !== undefined && !Object.hasOwn(set, "name")) return armLabel(arm, set);
  if (config.name !== undefined) return config.name;
  const settings = Object.entries(set).map(([path, value]) => `${path}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [name, ...settings].join(" ").slice(0, longestName);
}
