import { existsSync } from "node:fs";
import type { ModelPlan } from "../bridge/model-request.js";
import { BhBridgeError } from "../errors.js";
import { runCheckpoints } from "../runs/run-layout.js";
import { verifyFiles } from "../runs/verify-files.js";

/**
 * What the model of a resumed run is built from: as the run was, or, when the files that it began with are gone, anew, since a checkpoint replaces every
 * weight.
 *
 * @throws {BhBridgeError} `FILE_NOT_FOUND` when those files are gone and no checkpoint verifies.
 */
export function resumedModel(directory: string, { model, init, seed, seeds }: ModelPlan): ModelPlan {
  const lost = [model.from, init.kind === "file" ? init.path : null].filter((path) => path !== null && !existsSync(path));
  if (lost.length === 0) return { model, init, seed, seeds };
  if (hasWholeCheckpoint(directory)) return { model: { ...model, from: null }, init: { kind: "normal" }, seed, seeds };
  throw new BhBridgeError(
    "FILE_NOT_FOUND",
    `${directory} began with ${lost.join(" and ")}, which is gone, and has no whole checkpoint to go on from without it`,
  );
}

function hasWholeCheckpoint(directory: string): boolean {
  return runCheckpoints(directory).some((checkpoint) => verifyFiles(checkpoint.directory).length === 0);
}
