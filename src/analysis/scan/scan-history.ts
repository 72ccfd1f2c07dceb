import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { type AnalysisSettingsInput, analysisSettings } from "../analysis-settings.js";
import { defaultKernels } from "../kernels/kernel-choice.js";
import { type CountsTable, countsTable } from "./counts-table.js";
import { mergeRanges } from "./merge-ranges.js";
import type { Observation } from "./observation.js";
import { cutEvenly, runHere, runInParts, workerCount } from "./run-in-parts.js";
import type { ScanOptions } from "./scan-options.js";
import { type RangeScan, type ScanRequest, scanRange } from "./scan-range.js";
import { type Sightings, timelineFields } from "./state-scanner.js";

/** Motion and geometry take about so many times the work of the classes, byte for byte. */
const measuringCost = 40;
/** A worker takes 60 ms to start, in which one thread classifies 400 MB: with less than this for each, two are slower than one. */
const bytesPerWorker = 1024 * 1024 * 1024;

/** What a whole history told. */
interface HistoryScan<Ranges> {
  /** `timelineFields` of each state. */
  readonly counts: CountsTable;
  readonly sightings: Sightings;
  /** What each observation came to, in their order. */
  readonly observed: Ranges;
}

/**
 * Scan a whole history once, in worker threads when it is long and lies in a plain file, and every observation says which module has it.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a history without states, tokens or dimensions; `ABORTED`; what reading it throws.
 */
export async function scanHistory<const Ranges extends readonly unknown[]>(
  history: History,
  observations: { readonly [Index in keyof Ranges]: Observation<Ranges[Index]> },
  options: ScanOptions & AnalysisSettingsInput = {},
): Promise<HistoryScan<Ranges>> {
  return (await scan(history, observations, options)) as HistoryScan<Ranges>;
}

/** The modules of observations; undefined when one of them has none. */
function modulesOf(observations: readonly Observation<unknown>[]): string[] | undefined {
  const modules = observations.flatMap(({ module }) => module ?? []);
  return modules.length === observations.length ? modules : undefined;
}

async function scan(
  history: History,
  observations: readonly Observation<unknown>[],
  options: ScanOptions & AnalysisSettingsInput,
): Promise<HistoryScan<readonly unknown[]>> {
  const { dtype, states, tokens, dims, raw, source } = history;
  if (states * tokens * dims === 0) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} has nothing to analyse: its history is [${states}, ${tokens}, ${dims}]`);
  }
  const settings = analysisSettings(options);
  const whole: ScanRequest = { dtype, tokens, dims, first: 0, end: states, settings, kernels: options.kernels ?? defaultKernels() };
  const cost = states * tokens * dims * itemSizes[dtype] * (observations.length > 0 ? measuringCost : 1);
  const modules = modulesOf(observations);
  const workers = raw && modules ? workerCount(cost, bytesPerWorker, options) : 0;
  if (!raw || !modules || workers === 0) {
    return await runHere(
      scanRange((first, count, target) => history.read(first, count, target), whole, observations),
      states,
      options,
    );
  }
  // The workers write into one table: for millions of states, a copy from each would be the most of the memory.
  const counts = countsTable(states, tokens);
  const tasks = cutEvenly(states, workers).map((range) => {
    const own = counts.subarray(range.first * timelineFields.length, range.end * timelineFields.length);
    return { kind: "scan" as const, ...raw, request: { ...whole, ...range, counts: own }, modules };
  });
  const ranges: RangeScan[] = await runInParts(tasks, states, options);
  return { ...mergeRanges(ranges, observations), counts };
}
