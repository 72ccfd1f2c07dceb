import type { RunConfig } from "../config/run-config-schema.js";
import { modelSeeds } from "../config/stream-seeds.js";
import type { RequestOf } from "../protocol/operations.js";

/** The part of a configuration that makes a model. */
export type ModelPlan = Pick<RunConfig, "model" | "init" | "seed" | "seeds">;

/** The request that builds the model of a configuration; `from` is a directory in HF layout that has its weights, null for new ones. */
export function modelRequest(plan: ModelPlan, from: string | null): RequestOf<"model.create"> {
  const { norm, dtype, from: _source, ...architecture } = plan.model;
  const config = JSON.parse(JSON.stringify(architecture)); // without the fields that are undefined
  const { weights, init } = modelSeeds(plan);
  return { from, config, norm, dtype, init: plan.init, seed: weights, init_seed: init };
}
