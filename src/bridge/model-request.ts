import type { RunConfig } from "../config/run-config-schema.js";
import type { RequestOf } from "../protocol/operations.js";

/** The request that builds the model of a configuration; `from` is a directory in HF layout that has its weights, null for new ones. */
export function modelRequest({ model, init, seed }: Pick<RunConfig, "model" | "init" | "seed">, from: string | null): RequestOf<"model.create"> {
  const { norm, dtype, from: _source, ...config } = model;
  return { from, config, norm, dtype, init, seed };
}
