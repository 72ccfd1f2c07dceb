import type { TrialTask } from "../pool/trial-task.js";
import type { SweepTrial } from "../sweep-document.js";
import type { Plan } from "./plan.js";
import type { Trial } from "./plan-trials.js";

/** What a worker is given of a trial that has no run yet; its run is called after what the trial sets. @param out folder for its run. */
export function taskOf({ name, base, prune }: Plan, { trial, config, corpus, set }: Trial, out: string): TrialTask {
  return { trial, config: { ...config, name: config.name ?? nameOf(name, set) }, preset: base.preset, corpus, out, run: null, prune };
}

const longestName = 200;

function nameOf(sweep: string, set: SweepTrial["set"]): string {
  const settings = Object.entries(set).map(([path, value]) => `${path}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [sweep, ...settings].join(" ").slice(0, longestName);
}
