import type { RunConfig } from "../../config/run-config-schema.js";

/** What tells which trials can be trained in one stack: all but what a member of it has to itself. Undefined for a trial that is trained alone. */
export function stackOf({ config, corpus }: { config: RunConfig; corpus: string }): string | undefined {
  if (config.stack === 1) return undefined;
  const { name: _name, seed: _seed, seeds: _seeds, init: _init, training, ...shared } = config;
  const { learning_rate: _rate, data_seed: _dataSeed, ...rest } = training;
  return JSON.stringify([corpus, shared, rest]);
}
