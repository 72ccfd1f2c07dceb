import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { TrainEventOf } from "../protocol/events.js";
import { historyFiles } from "../runs/run-layout.js";

/** What the rest of a run will take, and what it takes on the disk. */
interface CostEstimate {
  readonly seconds: number;
  /** Of all its recorded tensors, reserved from the beginning. */
  readonly historyBytes: number;
  readonly freeBytes: number;
}

/**
 * What the rest of a run will take, from its first measured steps.
 *
 * @param usage the first of this process.
 * @param stepsLeft after the step that `usage` was measured at.
 * @param stepsMeasured steps that `usage` tells of.
 */
export function costEstimate(directory: string, usage: TrainEventOf<"usage">, stepsLeft: number, stepsMeasured: number): CostEstimate {
  const { bavail, bsize } = statfsSync(directory);
  const historyBytes = historyFiles(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { seconds: (usage.seconds / stepsMeasured) * stepsLeft, historyBytes, freeBytes: bavail * bsize };
}
