import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { historyFileNames } from "../../formats/run-directory.js";
import type { TrainEventOf } from "../../protocol/events.js";
import { formatBytes } from "../../text/format-bytes.js";
import { formatDuration } from "../terminal/progress.js";

/**
 * What the rest of a run will take, from its first measured steps: `≈ 11 min, 165 MB history (reserved), 0.4 GB memory; 41 GB of disk free`.
 *
 * @param usage the first of this process.
 * @param stepsLeft after the step that `usage` was measured at.
 * @param stepsMeasured steps that `usage` tells of.
 */
export function costEstimate(directory: string, usage: TrainEventOf<"usage">, stepsLeft: number, stepsMeasured: number): string {
  const { bavail, bsize } = statfsSync(directory);
  const history = historyFileNames(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const seconds = (usage.seconds / stepsMeasured) * stepsLeft;
  return `Estimate ≈ ${formatDuration(seconds)} to go, ${formatBytes(history)} history (reserved), ${formatBytes(usage.peak_bytes)} memory; ${formatBytes(bavail * bsize)} of disk free`;
}
