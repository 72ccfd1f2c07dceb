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
 * @param ends of steps one after the other.
 * @returns undefined where they do not tell it: too few, or all at once, as steps that were held are told.
 */
export function laterStepSeconds(ends: readonly StepEnd[]): number | undefined {
  const [middle, last] = [ends[Math.ceil(ends.length / 2) - 1], ends.at(-1)];
  return middle && last && middle[1] < last[1] ? (last[1] - middle[1]) / (last[0] - middle[0]) : undefined;
}

/** The same; of all steps where the later ones do not tell it. @param began when the first step began. @param ends at least one. */
export function stepSeconds(began: StepEnd, ends: readonly StepEnd[]): number {
  const last = ends.at(-1) ?? began;
  return laterStepSeconds(ends) ?? (last[1] - began[1]) / (last[0] - began[0]);
}

/** What the rest of a run will take. @param secondsPerStep as `stepSeconds` says. */
export function costEstimate(directory: string, secondsPerStep: number, stepsLeft: number): CostEstimate {
  const { bavail, bsize } = statfsSync(directory);
  const historyBytes = historyFiles(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { seconds: secondsPerStep * stepsLeft, historyBytes, freeBytes: bavail * bsize };
}
