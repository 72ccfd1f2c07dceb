import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { installedMemory, knowsBlocks } from "../../bridge/require-memory.js";
import { batchedRuns } from "../../config/engine-schema.js";
import { BhBridgeError } from "../../errors.js";
import { count, formatBytes } from "../../text/format.js";
import type { Executor } from "../executors/executor.js";
import { isLeft } from "../ledger.js";
import { inStacks, type Stack, trialsInParallel } from "../pool/trial-task.js";
import type { PlanCost, SweepTrial } from "../sweep-document.js";
import { type Measured, measuredOf, minMemory, trialBytes } from "./measured.js";
import type { Trial } from "./plan-trials.js";

/** Seconds until all work is done; each free worker takes the next. @param works seconds of each trial, or of each batch of trials. */
export function planTime(works: readonly number[], workers: number): number {
  const freeAt = Array.from({ length: workers }, () => 0);
  for (const seconds of works) {
    const start = Math.min(...freeAt);
    freeAt[freeAt.indexOf(start)] = start + seconds;
  }
  return Math.max(0, ...freeAt);
}

/**
 * The cost of the remaining trials on this machine: disk from their configurations, time and memory from ended trials.
 * @param folder where their runs will be; need not exist.
 * @param states of the trials, in the same order.
 * @param probes measurements of batch widths without an ended trial.
 */
export function planCost(
  folder: string,
  trials: readonly Trial[],
  states: readonly SweepTrial[],
  { workers, retry = false }: { workers: number; retry?: boolean | undefined },
  probes: readonly Measured[] = [],
): PlanCost {
  const left = trialsLeft(trials, states, retry);
  const stacks = inStacks(left);
  const { bavail, bsize } = statfsSync(existingFolder(folder));
  const used = Math.min(workers, stacks.length);
  const together = trialsInParallel(stacks, used);
  const measured = [...measuredOf(trials, states), ...probes];
  return {
    trials: left.length,
    workers: used,
    ...(together > used && { together }),
    diskBytes: left.reduce((sum, { config, hasRun }) => sum + (hasRun ? 0 : trialBytes(config)), 0), // a started run has reserved its own
    ...(left.some(({ config }) => !knowsBlocks(config.model)) && { diskIsLeast: true }),
    freeBytes: bavail * bsize,
    ...timeOf(stacks, used, measured),
    memoryBytes: used * Math.max(0, ...stacks.map((stack) => memoryOfStack(stack, measured))),
  };
}

/** The trials left to train, and whether each has started. */
export function trialsLeft(trials: readonly Trial[], states: readonly SweepTrial[], retry: boolean): (Trial & { hasRun: boolean })[] {
  return trials.flatMap((trial, index) => {
    const state = states[index] ?? { status: "planned" as const, run: null, result: null };
    return isLeft(state, retry) ? [{ ...trial, hasRun: state.run !== null }] : [];
  });
}

/** Time for all batches; null if one has an unmeasured width. */
function timeOf(stacks: readonly Stack<Trial>[], workers: number, measured: readonly Measured[]): Pick<PlanCost, "stepsPerSecond" | "seconds"> {
  const works = stacks.flatMap(([{ config }]) => {
    const like = measured.find(({ stack }) => stack === batchedRuns(config));
    if (!like) return [];
    const steps = config.training.max_steps;
    const stepping = steps / like.stepsPerSecond;
    return [{ steps, stepping, seconds: stepping + like.secondsAround }];
  });
  if (works.length < stacks.length || works.length === 0) return { stepsPerSecond: null, seconds: null };
  const times = works.map(({ seconds }) => seconds);
  return {
    stepsPerSecond: works.reduce((sum, { steps }) => sum + steps, 0) / works.reduce((sum, { stepping }) => sum + stepping, 0),
    seconds: planTime(times, workers),
  };
}

/** Memory of the process of a batch: the measured peak, adjusted to its own runs. */
function memoryOfStack(stack: Stack<Trial>, measured: readonly Measured[]): number {
  const [{ config, corpusBytes }] = stack;
  const least = minMemory(config, stack.length, corpusBytes);
  const like = measured.find((each) => each.stack === batchedRuns(config) && each.peakBytes !== null) ?? measured.find(({ peakBytes }) => peakBytes !== null);
  return like ? Math.max(0, (like.peakBytes ?? 0) - like.leastBytes) + least : least;
}

/**
 * Refuse a plan that cannot finish.
 * @param memory available bytes.
 * @throws {BhBridgeError} `DISK_FULL`, or `USAGE` if the workers do not fit into memory, naming the bytes.
 */
export function requireRoom({ trials, workers, together, diskBytes, freeBytes, memoryBytes }: PlanCost, memory: number = installedMemory()): void {
  if (diskBytes > freeBytes) {
    throw new BhBridgeError(
      "DISK_FULL",
      `${count(trials, "trial")} will take ${formatBytes(diskBytes)} of disk space, but only ${formatBytes(freeBytes)} are free: free some space, or record less (record.every, record.rows, checkpoint.keep)`,
    );
  }
  if (memoryBytes <= memory) return;
  const fitting = Math.floor(memory / (memoryBytes / workers));
  const advice =
    fitting > 0 ? `--workers ${fitting} fits` : `not even one fits: make the model smaller${together === undefined ? "" : ", or reduce engine.batched_runs"}`;
  throw new BhBridgeError(
    "USAGE",
    `${count(workers, "worker")} will take ${formatBytes(memoryBytes)} of memory, but this machine has ${formatBytes(memory)}: ${advice}`,
  );
}

/** Bytes of memory available to an executor's workers. */
export function memoryOf({ isHere }: Pick<Executor, "isHere">): number {
  return isHere ? installedMemory() : Number.POSITIVE_INFINITY;
}

function existingFolder(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) ? path : existingFolder(dirname(path));
}
