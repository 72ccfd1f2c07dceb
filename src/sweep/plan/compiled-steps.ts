import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { compilingOf } from "../../config/engine-schema.js";
import type { RunConfig } from "../../config/run-config-schema.js";

/** What compiling takes: 25 to 35 s the first time on a machine, and 3 s where it was done before, on one core of 2025. */
export const firstCompileSeconds = 30;
export const cachedCompileSeconds = 3;

/** Whether the step of a run is compiled where that can be done. */
export function isToBeCompiled(config: RunConfig): boolean {
  return compilingOf(config).compile !== "never";
}

/** What tells which runs have one compiled step: seeds, rates, lengths and texts are no part of it. */
export function compiledShape({ model, training, threads }: RunConfig): string {
  return JSON.stringify([model, training.per_device_train_batch_size, training.bf16, threads]);
}

/** Whether steps that were compiled lie on this machine, in the folder of `_keep_compiled` of python/bh_bridge/fast_step/compiling.py. */
export function hasCompiledSteps(environment: NodeJS.ProcessEnv = process.env): boolean {
  const caches = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = environment["TORCHINDUCTOR_CACHE_DIR"] ?? join(caches, "bh-bridge", "compiled");
  return existsSync(folder) && readdirSync(folder).length > 0;
}
