import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { historyFiles } from "../runs/run-layout.js";

/** What the rest of a run will take, and what it takes on the disk. */
interface CostEstimate {
  readonly seconds: number;
  /** Of all its recorded tensors, reserved from the beginning. */
  readonly historyBytes: number;
  readonly freeBytes: number;
}

/** When a step ended: its number, and the seconds of one clock. */
export type StepEnd = readonly [step: number, seconds: number];

/**
 * Seconds of a step, by the later half of those that have ended: the first ones are slower, since they set up, and check what is used from then on.
 *
 * @param began when the first step began. @param ends of steps one after the other, at least one.
 */
export function stepSeconds(began: StepEnd, ends: readonly StepEnd[]): number {
  const last = ends.at(-1) ?? began;
  const middle = ends[Math.ceil(ends.length / 2) - 1] ?? began;
  const [from, since] = middle[1] < last[1] ? middle : began; // all at once, as steps that were held are told
  return (last[1] - since) / (last[0] - from);
}

/** What the rest of a run will take. @param secondsPerStep as `stepSeconds` says. */
export function costEstimate(directory: string, secondsPerStep: number, stepsLeft: number): CostEstimate {
  const { bavail, bsize } = statfsSync(directory);
  const historyBytes = historyFiles(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { seconds: secondsPerStep * stepsLeft, historyBytes, freeBytes: bavail * bsize };
}
