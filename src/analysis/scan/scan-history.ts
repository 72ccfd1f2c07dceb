import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { defaultKernels } from "../kernels/kernel-choice.js";
import { countsTable } from "./counts-table.js";
import type { GeometryRange } from "./geometry-scan.js";
import { mergeRanges, type RangeFindings } from "./merge-ranges.js";
import type { MotionRange } from "./motion-scan.js";
import { cutEvenly, runHere, runInParts, workerCount } from "./run-in-parts.js";
import type { ScanOptions } from "./scan-options.js";
import { type OnStep, type RangeScan, type ScanParts, type ScanRequest, scanRange } from "./scan-range.js";
import { timelineFields } from "./state-scanner.js";

/** Motion and geometry take about so many times the work of the classes, byte for byte. */
const measuringCost = 40;
/** A worker takes 60 ms to start, in which one thread classifies 400 MB: with less than this for each, two are slower than one. */
const bytesPerWorker = 1024 * 1024 * 1024;

/** What a scan tells for certain when these parts were asked for. */
export type HistoryScan<Parts extends ScanParts> = RangeScan &
  (Parts["motion"] extends true ? { readonly motion: MotionRange } : unknown) &
  (Parts["geometry"] extends true ? { readonly geometry: GeometryRange } : unknown);

/**
 * Scan a whole history once, in worker threads when it is long and lies in a plain file.
 *
 * @param onStep called with the motion of each step, in this thread, which then does all the work.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a history without states, tokens or dimensions; `ABORTED`; what reading it throws.
 */
export async function scanHistory<const Parts extends ScanParts>(
  history: History,
  parts: Parts,
  options: ScanOptions = {},
  onStep?: OnStep,
): Promise<HistoryScan<Parts>> {
  return (await scanParts(history, parts, options, onStep)) as HistoryScan<Parts>;
}

async function scanParts(history: History, parts: ScanParts, options: ScanOptions, onStep: OnStep | undefined): Promise<RangeScan> {
  const { dtype, states, tokens, dims, raw, source } = history;
  if (states * tokens * dims === 0) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} has nothing to analyse: its history is [${states}, ${tokens}, ${dims}]`);
  }
  const whole: ScanRequest = { dtype, tokens, dims, first: 0, end: states, parts, kernels: options.kernels ?? defaultKernels() };
  const cost = states * tokens * dims * itemSizes[dtype] * (parts.motion || parts.geometry ? measuringCost : 1);
  const workers = raw && !onStep ? workerCount(cost, bytesPerWorker, options) : 0;
  if (!raw || workers === 0) {
    return await runHere(
      scanRange((first, count, target) => history.read(first, count, target), whole, onStep),
      states,
      options,
    );
  }
  // The workers write into one table: for millions of states, a copy from each would be the most of the memory.
  const counts = countsTable(states, tokens);
  const tasks = cutEvenly(states, workers).map((range) => {
    const own = counts.subarray(range.first * timelineFields.length, range.end * timelineFields.length);
    return { kind: "scan" as const, ...raw, request: { ...whole, ...range, counts: own } };
  });
  const findings: RangeFindings[] = await runInParts(tasks, states, options);
  return { ...findings.reduce(mergeRanges), counts };
}
