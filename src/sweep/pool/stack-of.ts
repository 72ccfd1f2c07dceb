import { batchedRuns } from "../../config/engine-schema.js";
import type { RunConfig } from "../../config/run-config-schema.js";

/** What tells which trials can be trained in one stack: all but what a member of it has to itself. Undefined for a trial that is trained alone. */
export function stackOf({ config, corpus }: { config: RunConfig; corpus: string }): string | undefined {
  if (batchedRuns(config) === 1) return undefined;
  const { name: _name, seed: _seed, seeds: _seeds, init: _init, training, ...shared } = config;
  const { learning_rate: _rate, data_seed: _dataSeed, ...rest } = training;
  return JSON.stringify([corpus, shared, rest]);
}

/** What a worker takes at a time: the trials of a stack, or one that is alone. */
export type Stack<Trial> = [Trial, ...Trial[]];

/** Trials as workers take them, in their order: those of one stack together, as many as it holds. */
export function inStacks<Trial extends { config: RunConfig; corpus: string }>(trials: readonly Trial[]): Stack<Trial>[] {
  const stacks: Stack<Trial>[] = [];
  const newest = new Map<string, Stack<Trial>>();
  for (const trial of trials) {
    const alike = stackOf(trial);
    const open = alike === undefined ? undefined : newest.get(alike);
    if (open && open.length < batchedRuns(trial.config)) {
      open.push(trial);
      continue;
    }
    const begun: Stack<Trial> = [trial];
    stacks.push(begun);
    if (alike !== undefined) newest.set(alike, begun);
  }
  return stacks;
}

/** How many trials so many workers train side by side at first. */
export function sideBySide(stacks: readonly (readonly unknown[])[], workers: number): number {
  return stacks.slice(0, workers).reduce((sum, { length }) => sum + length, 0);
}
