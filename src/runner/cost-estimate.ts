import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { recordedWeightBytes } from "../runs/model-deltas.js";
import { historyFiles } from "../runs/run-layout.js";

/** Remaining time and disk usage of a run. */
interface CostEstimate {
  readonly seconds: number;
  /** Bytes of all recorded tensors, reserved from the start. */
  readonly historyBytes: number;
  /** Bytes of the weights of all steps, by those recorded so far; 0 without `record.model`. */
  readonly weightBytes: number;
  readonly freeBytes: number;
}

/** The end of a step: its number and the time. */
export type StepEnd = readonly [step: number, seconds: number];

/**
 * Seconds per step, by the later half of the completed steps, since the first ones include set-up and verification.
 * @param ends of steps one after the other.
 * @returns undefined for too few steps, and for steps that were reported all at once.
 */
export function laterStepSeconds(ends: readonly StepEnd[]): number | undefined {
  const [middle, last] = [ends[Math.ceil(ends.length / 2) - 1], ends.at(-1)];
  return middle && last && middle[1] < last[1] ? (last[1] - middle[1]) / (last[0] - middle[0]) : undefined;
}

/** As `laterStepSeconds`, with a fallback to all steps. @param began start of the first step. @param ends at least one. */
export function stepSeconds(began: StepEnd, ends: readonly StepEnd[]): number {
  const last = ends.at(-1) ?? began;
  return laterStepSeconds(ends) ?? (last[1] - began[1]) / (last[0] - began[0]);
}

/** The cost of the rest of a run. @param secondsPerStep from `stepSeconds`. */
export function costEstimate(directory: string, secondsPerStep: number, stepsLeft: number): CostEstimate {
  const { bavail, bsize } = statfsSync(directory);
  const historyBytes = historyFiles(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { seconds: secondsPerStep * stepsLeft, historyBytes, weightBytes: recordedWeightBytes(directory, stepsLeft), freeBytes: bavail * bsize };
}
