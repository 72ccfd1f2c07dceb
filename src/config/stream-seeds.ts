import type { RunConfig } from "./run-config-fields.js";

/** The seeds of what is drawn before a training. */
export function modelSeeds({ seed, seeds }: Pick<RunConfig, "seed" | "seeds">): { weights: number; init: number } {
  return { weights: seeds.weights ?? seed, init: seeds.init ?? seed };
}

/** The seeds of what is drawn during a training. */
export function trainingSeeds({ seed, seeds, training }: Pick<RunConfig, "seed" | "seeds" | "training">): { data: number; noise: number } {
  return { data: seeds.data ?? training.data_seed ?? seed, noise: seeds.noise ?? seed };
}
