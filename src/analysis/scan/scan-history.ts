import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { defaultKernels } from "../kernels/load-kernels.js";
import { type AnalysisSettingsInput, analysisSettings, type Observation, type ScanOptions } from "./observation.js";
import { cutEvenly, runHere, runInParts, workerCount } from "./run-in-parts.js";
import { type RangeScan, type ScanRequest, scanRange } from "./scan-range.js";
import { countsTable, type Sightings, timelineFields } from "./state-scanner.js";

/** The series of two consecutive ranges, joined. */
export function joinedSeries(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Series of zeros, by name. */
export function emptySeries<Name extends string>(names: readonly Name[], length: number): Record<Name, Float64Array> {
  return Object.fromEntries(names.map((name) => [name, new Float64Array(length)])) as Record<Name, Float64Array>;
}

type NamedSeries<Name extends string> = Readonly<Record<Name, Float64Array>>;

/** The named series of two consecutive ranges, joined. */
export function joinedByName<Name extends string>(names: readonly Name[], first: NamedSeries<Name>, second: NamedSeries<Name>): Record<Name, Float64Array> {
  return Object.fromEntries(names.map((name) => [name, joinedSeries(first[name], second[name])])) as Record<Name, Float64Array>;
}

/** Named series as arrays. */
export function arraysByName<Name extends string>(names: readonly Name[], series: NamedSeries<Name>): Record<Name, number[]> {
  return Object.fromEntries(names.map((name) => [name, Array.from(series[name])])) as Record<Name, number[]>;
}

/** For each step, the number of tokens whose last step is not earlier. @param lastSteps per token, a step counted from 1, or 0 for never. */
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

/** A last step as reported: null for none. */
export function stepOrNull(step: number): number | null {
  return step === 0 ? null : step;
}

/** The later of two last steps, for each token. */
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

/** The results of a range other than its counts. */
export type RangeFindings = Omit<RangeScan, "counts">;

/** Merge the results of consecutive ranges. @param observations in the order of `observed`. */
export function mergeRanges(ranges: readonly RangeFindings[], observations: readonly Observation<unknown>[]): RangeFindings {
  return ranges.reduce((first, second) => ({
    sightings: mergeSightings(first.sightings, second.sightings),
    observed: observations.map((observation, index) => observation.merge(first.observed[index], second.observed[index])),
  }));
}

/** Cost of motion and geometry per byte, relative to classifying rows. */
const measuringCost = 40;
/** A worker takes 60 ms to start, in which one thread classifies 400 MB. With less than this for each, two are slower than one. */
const bytesPerWorker = 1024 * 1024 * 1024;

/** The results of a whole history; `observed` has one for each observation. */
interface HistoryScan<Ranges> extends RangeScan {
  readonly observed: Ranges & readonly unknown[];
}

/**
 * Scan a whole history once, in worker threads if it is a long plain file and every observation names its module.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a history without states, tokens or dimensions; `ABORTED`; read errors.
 */
export async function scanHistory<const Ranges extends readonly unknown[]>(
  history: History,
  observations: { readonly [Index in keyof Ranges]: Observation<Ranges[Index]> } & readonly Observation<unknown>[],
  options: ScanOptions & AnalysisSettingsInput = {},
): Promise<HistoryScan<Ranges>> {
  const { dtype, states, tokens, dims, raw, source } = history;
  if (states * tokens * dims === 0) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} has nothing to analyse: its history is [${states}, ${tokens}, ${dims}]`);
  }
  const settings = analysisSettings(options);
  const whole: ScanRequest = { dtype, tokens, dims, first: 0, end: states, settings, kernels: options.kernels ?? defaultKernels() };
  const cost = states * tokens * dims * itemSizes[dtype] * (observations.length > 0 ? measuringCost : 1);
  const modules = observations.flatMap(({ module }) => module ?? []);
  const workers = modules.length === observations.length ? workerCount(cost, bytesPerWorker, options) : 0;
  if (!raw || workers === 0) {
    const scan = scanRange((first, count, target) => history.read(first, count, target), whole, observations);
    return (await runHere(scan, states, options)) as HistoryScan<Ranges>;
  }
  // The workers write into one shared table: for millions of states, copies would take most of the memory.
  const counts = countsTable(states, tokens);
  const tasks = cutEvenly(states, workers).map((range) => {
    const own = counts.subarray(range.first * timelineFields.length, range.end * timelineFields.length);
    return { kind: "scan" as const, ...raw, request: { ...whole, ...range, counts: own }, modules };
  });
  return { ...mergeRanges(await runInParts(tasks, states, options), observations), counts } as HistoryScan<Ranges>;
}
