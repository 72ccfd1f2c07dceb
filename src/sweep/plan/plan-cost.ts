import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { installedMemory, knowsBlocks } from "../../bridge/require-memory.js";
import { BhBridgeError } from "../../errors.js";
import { lastEvent } from "../../runs/read-events.js";
import { count } from "../../text/count.js";
import { formatBytes } from "../../text/format-bytes.js";
import type { Executor } from "../executors/executor.js";
import { isLeft } from "../ledger.js";
import type { PlanCost, SweepTrial } from "../sweep-document.js";
import type { Trial } from "./plan-trials.js";
import { leastMemory, trialBytes } from "./trial-bytes.js";

/** What one trial takes while it is trained. */
export interface Measured {
  stepsPerSecond: number;
  /** Before the first step of each, in its process: compiling where it was done before. */
  secondsBefore: number;
  /** Memory of its Python at the peak; null where it was not told. */
  peakBytes: number | null;
}

/**
 * What the trials that are left will take on this machine: the disk by their configurations, time and memory by those that have been trained.
 *
 * @param folder where their runs will lie; it need not exist.
 * @param states what became of the trials, in the same order.
 * @param by how many workers there are, and whether failed trials are tried again.
 * @param probe measured where none of them has been trained.
 */
export function planCost(
  folder: string,
  trials: readonly Trial[],
  states: readonly SweepTrial[],
  { workers, retry = false }: { workers: number; retry?: boolean | undefined },
  probe?: Measured,
): PlanCost {
  const left = trials.flatMap(({ config }, index) => {
    const state = states[index] ?? { status: "planned" as const, run: null, result: null };
    return isLeft(state, retry) ? [{ config, hasRun: state.run !== null }] : [];
  });
  const { bavail, bsize } = statfsSync(existingFolder(folder));
  const steps = left.reduce((sum, { config }) => sum + config.training.max_steps, 0);
  const used = Math.min(workers, left.length);
  const measured = measuredOf(states) ?? probe;
  return {
    trials: left.length,
    workers: used,
    diskBytes: left.reduce((sum, { config, hasRun }) => sum + (hasRun ? 0 : trialBytes(config)), 0), // a run has reserved its own
    ...(left.some(({ config }) => !knowsBlocks(config.model)) && { diskIsLeast: true }),
    freeBytes: bavail * bsize,
    stepsPerSecond: measured?.stepsPerSecond ?? null,
    seconds: measured && used > 0 ? (steps / measured.stepsPerSecond + left.length * measured.secondsBefore) / used : null,
    memoryBytes: used * Math.max(measured?.peakBytes ?? 0, ...left.map(({ config }) => leastMemory(config))),
  };
}

function measuredOf(states: readonly SweepTrial[]): Measured | undefined {
  const trained = states.flatMap(({ result, run }) => (result && result.seconds > 0 ? [{ ...result, run }] : []));
  if (trained.length === 0) return undefined;
  const seconds = trained.reduce((sum, each) => sum + each.seconds, 0);
  const peaks = trained.flatMap(({ run }) => (run === null ? [] : (lastEvent(run, "usage")?.peak_bytes ?? [])));
  return {
    stepsPerSecond: trained.reduce((sum, each) => sum + each.steps, 0) / seconds,
    secondsBefore: 0,
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
  };
}

/**
 * Refuse what cannot be finished.
 *
 * @param memory bytes of memory that there are.
 * @throws {BhBridgeError} `DISK_FULL`, or `USAGE` where so many workers do not fit into the memory, naming the bytes.
 */
export function requireRoom({ trials, workers, diskBytes, freeBytes, memoryBytes }: PlanCost, memory: number = installedMemory()): void {
  if (diskBytes > freeBytes) {
    throw new BhBridgeError(
      "DISK_FULL",
      `${count(trials, "trial")} will take ${formatBytes(diskBytes)} on the disk, and ${formatBytes(freeBytes)} are free: free some space, or record less (record.every, record.rows, checkpoint.keep)`,
    );
  }
  if (memoryBytes <= memory) return;
  const fitting = Math.floor(memory / (memoryBytes / workers));
  const advice = fitting > 0 ? `--workers ${fitting} fits` : "not even one fits: make the model smaller";
  throw new BhBridgeError(
    "USAGE",
    `${count(workers, "worker")} will take ${formatBytes(memoryBytes)} of memory, and this machine has ${formatBytes(memory)}: ${advice}`,
  );
}

/** Bytes of memory that limit the workers of an executor: those of this machine, where it trains here. */
export function memoryOf({ isHere }: Pick<Executor, "isHere">): number {
  return isHere ? installedMemory() : Number.POSITIVE_INFINITY;
}

function existingFolder(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) ? path : existingFolder(dirname(path));
}
