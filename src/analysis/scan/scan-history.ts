import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { defaultKernels } from "../kernels/load-kernels.js";
import { type AnalysisSettingsInput, analysisSettings, type Observation, type ScanOptions } from "./observation.js";
import { cutEvenly, runHere, runInParts, workerCount } from "./run-in-parts.js";
import { type RangeScan, type ScanRequest, scanRange } from "./scan-range.js";
import { type CountsTable, countsTable, type Sightings, timelineFields } from "./state-scanner.js";

/** The series of two ranges that follow each other, as one. */
export function joinedSeries(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/**
 * In how many tokens something has not yet ended: entry i counts those whose last step is i + 1 or later.
 *
 * @param lastSteps per token, a step numbered from 1, or 0 for never.
 */
export function tokensUntil(lastSteps: Int32Array, steps: number): number[] {
  const endings = new Int32Array(steps + 1);
  for (const step of lastSteps) endings[step] = (endings[step] ?? 0) + 1;
  const counts = new Array<number>(steps).fill(0);
  let left = lastSteps.length - (endings[0] ?? 0);
  for (let step = 1; step <= steps; step++) {
    counts[step - 1] = left;
    left -= endings[step] ?? 0;
  }
  return counts;
}

/** A last step as it is reported: null when there is none. */
export function stepOrNull(step: number): number | null {
  return step === 0 ? null : step;
}

/** For each token the later of two last steps. */
export function laterSteps(first: Int32Array, second: Int32Array): Int32Array {
  return first.map((step, token) => Math.max(step, second[token] ?? 0));
}

function mergeSightings(first: Sightings, second: Sightings): Sightings {
  return {
    nonzero: first.nonzero || second.nonzero,
    finite: first.finite || second.finite,
    moved: first.moved || second.moved,
    nonfiniteTokens: first.nonfiniteTokens.map((flag, token) => flag | (second.nonfiniteTokens[token] ?? 0)),
  };
}

/** What a range of states told, beside its counts. */
export type RangeFindings = Omit<RangeScan, "counts">;

/** What ranges that follow each other told, as if they had been one. @param observations those that `observed` came from. */
export function mergeRanges(ranges: readonly RangeFindings[], observations: readonly Observation<unknown>[]): RangeFindings {
  return ranges.reduce((first, second) => ({
    sightings: mergeSightings(first.sightings, second.sightings),
    observed: observations.map((observation, index) => observation.merge(first.observed[index], second.observed[index])),
  }));
}

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
