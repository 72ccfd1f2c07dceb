import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { lastEvent } from "../../runs/read-events.js";
import { count } from "../../text/count.js";
import { formatBytes } from "../../text/format-bytes.js";
import { hasEnded } from "../ledger.js";
import type { PlanCost, SweepTrial } from "../sweep-document.js";
import type { Trial } from "./plan-trials.js";
import { trialBytes } from "./trial-bytes.js";

/** What one trial takes while it is trained. */
export interface Measured {
  stepsPerSecond: number;
  /** Memory of its Python at the peak; null where it was not told. */
  peakBytes: number | null;
}

/**
 * What the trials that are left will take on this machine: the disk by their configurations, time and memory by those that have been trained.
 *
 * @param folder where their runs will lie; it need not exist.
 * @param states what became of the trials, in the same order.
 * @param probe measured where none of them has been trained.
 */
export function planCost(folder: string, trials: readonly Trial[], states: readonly SweepTrial[], workers: number, probe?: Measured): PlanCost {
  const left = trials.flatMap(({ config }, index) => {
    const { status, run } = states[index] ?? { status: "planned" as const, run: null };
    return hasEnded(status) ? [] : [{ config, hasRun: run !== null }];
  });
  const { bavail, bsize } = statfsSync(existingFolder(folder));
  const steps = left.reduce((sum, { config }) => sum + config.training.max_steps, 0);
  const used = Math.min(workers, left.length);
  const measured = measuredOf(states) ?? probe;
  return {
    trials: left.length,
    workers: used,
    diskBytes: left.reduce((sum, { config, hasRun }) => sum + (hasRun ? 0 : trialBytes(config)), 0), // a run has reserved its own
    freeBytes: bavail * bsize,
    stepsPerSecond: measured?.stepsPerSecond ?? null,
    seconds: measured && used > 0 ? steps / measured.stepsPerSecond / used : null,
    memoryBytes: measured?.peakBytes == null ? null : measured.peakBytes * used,
  };
}

function measuredOf(states: readonly SweepTrial[]): Measured | undefined {
  const trained = states.flatMap(({ result, run }) => (result && result.seconds > 0 ? [{ ...result, run }] : []));
  if (trained.length === 0) return undefined;
  const seconds = trained.reduce((sum, each) => sum + each.seconds, 0);
  const peaks = trained.flatMap(({ run }) => (run === null ? [] : (lastEvent(run, "usage")?.peak_bytes ?? [])));
  return { stepsPerSecond: trained.reduce((sum, each) => sum + each.steps, 0) / seconds, peakBytes: peaks.length === 0 ? null : Math.max(...peaks) };
}

/** Refuse what cannot be finished. @throws {BhBridgeError} `DISK_FULL` naming the bytes. */
export function requireDisk({ trials, diskBytes, freeBytes }: PlanCost): void {
  if (diskBytes <= freeBytes) return;
  throw new BhBridgeError(
    "DISK_FULL",
    `${count(trials, "trial")} will take ${formatBytes(diskBytes)} on the disk, and ${formatBytes(freeBytes)} are free: free some space, or record less (record.every, record.rows, checkpoint.keep)`,
  );
}

function existingFolder(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) ? path : existingFolder(dirname(path));
}
