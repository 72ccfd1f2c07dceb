import { z } from "zod";
import { type CompareHistoriesOptions, compareHistories, type HistoryComparison } from "../analysis/compare-histories.js";
import { exactNumber, exactNumberSchema } from "../analysis/document-fields.js";
import { embeddingHistory, historyTensors } from "../formats/history.js";
import { openHistory } from "../runs/open-history.js";
import { openRunHistories } from "../runs/open-run-directory.js";
import { readEvents } from "../runs/read-events.js";
import { finalLoss, type TrainResult } from "./train-result.js";

const count = z.int().nonnegative();

/** The first difference of two recordings; `tensor` is named as in `record.tensors`. */
export const differingRecordSchema = z.strictObject({
  step: count,
  tensor: z.string(),
  token: count,
  component: count,
  a: exactNumberSchema,
  b: exactNumberSchema,
  /** Distance in numbers of the stored dtype; null if one is NaN. */
  ulp: z.number().nullable(),
});

/** Result of comparing the histories of two runs. */
export const recordingComparisonSchema = z.strictObject({
  /** Whether every tensor, step and token that both recorded has the same bits, and both end at the same step. */
  equal: z.boolean(),
  first: differingRecordSchema.nullable(),
  /** The last step up to which all common records have equal bits; null if there is none. */
  equalTo: count.nullable(),
  /** Why they are unequal although no bit of the common records differs. */
  reason: z.string().nullable(),
});
export type RecordingComparison = z.output<typeof recordingComparisonSchema>;

/** Compare all bits that two runs in directories `a` and `b` both recorded. @throws {BhBridgeError} as `openHistory` and `compareHistories`. */
export async function compareRecordings(a: string, b: string, options: CompareHistoriesOptions = {}): Promise<RecordingComparison> {
  const others = recordedTensors(b);
  const found: (HistoryComparison & { tensor: string })[] = [];
  for (const tensor of recordedTensors(a).filter((name) => others.includes(name))) {
    found.push({ tensor: tensor === embeddingHistory ? "wte" : tensor, ...(await compareTensor(a, b, tensor, options)) });
  }
  return worst(found);
}

function recordedTensors(run: string): string[] {
  const histories = openRunHistories(run);
  try {
    return historyTensors(histories.tensors).map(({ name }) => name);
  } finally {
    histories.close();
  }
}

async function compareTensor(a: string, b: string, tensor: string, options: CompareHistoriesOptions): Promise<HistoryComparison> {
  const left = await openHistory(a, tensor);
  try {
    const right = await openHistory(b, tensor);
    try {
      return await compareHistories(left, right, options);
    } finally {
      right.close();
    }
  } finally {
    left.close();
  }
}

/** The comparisons of all tensors as one, with the earliest difference; for equal steps, the first tensor's. */
function worst(found: readonly (HistoryComparison & { tensor: string })[]): RecordingComparison {
  const differences = found.flatMap(({ first, tensor }) => {
    if (!first) return [];
    const { step, ...rest } = first;
    return [{ step, tensor, ...rest }];
  });
  const [first = null] = differences.sort((a, b) => a.step - b.step);
  const unequal = found.find(({ reason }) => reason !== null);
  const equalTo = Math.min(...found.map((each) => each.equalTo ?? -1));
  return {
    equal: found.length > 0 && found.every(({ equal }) => equal),
    first,
    equalTo: equalTo < 0 || !Number.isFinite(equalTo) ? null : equalTo,
    reason: first ? null : unequal ? `${unequal.tensor}: ${unequal.reason}` : found.length === 0 ? "no tensor was recorded in both" : null,
  };
}

/** The first step at which the losses of two runs differ. */
export const differingLossSchema = z.strictObject({ step: z.int().nonnegative(), a: exactNumberSchema, b: exactNumberSchema });

/** Result of comparing losses; `reason` explains why they are unequal although no loss of a common step differs. */
export const lossComparisonSchema = z.strictObject({ equal: z.boolean(), first: differingLossSchema.nullable(), reason: z.string().nullable() });
export type LossComparison = z.output<typeof lossComparisonSchema>;

/**
 * Compare all bits of the losses of two runs in their common steps.
 * @param until last step to compare; if omitted, both runs must end at the same step.
 * @throws {BhBridgeError} as `readEvents`.
 */
export function compareLosses(a: string, b: string, until = Number.POSITIVE_INFINITY): LossComparison {
  const [left, right] = [lossesOf(a, until), lossesOf(b, until)];
  for (const [step, loss] of left) {
    const other = right.get(step);
    if (other !== undefined && !Object.is(loss, other)) return { equal: false, first: { step, a: exactNumber(loss), b: exactNumber(other) }, reason: null };
  }
  const ends = [left, right].map((losses) => Math.max(0, ...losses.keys()));
  return ends[0] === ends[1]
    ? { equal: true, first: null, reason: null }
    : { equal: false, first: null, reason: `a ends at step ${ends[0]}, b at step ${ends[1]}` };
}

/** The loss of each step of a run. @throws {BhBridgeError} as `readEvents`. */
export function lossesOf(run: string, until = Number.POSITIVE_INFINITY): Map<number, number> {
  return new Map(readEvents(run).flatMap((event) => (event.type === "step_end" && event.global_step <= until ? [[event.global_step, event.loss]] : [])));
}

/** One measure of several runs, with the absolute and relative difference of each from the first; null if it is not a number. */
export const resultSchema = z.strictObject({
  path: z.string(),
  values: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])),
  difference: z.array(z.number().nullable()),
  relative: z.array(z.number().nullable()),
});
type Result = z.output<typeof resultSchema>;

/** Results of runs. */
export const outcomes: Readonly<Record<string, (result: TrainResult) => Result["values"][number]>> = {
  status: ({ status }) => status,
  verdict: ({ verdict }) => verdict.result,
  "steps.done": ({ steps }) => steps.done,
  loss: finalLoss,
  finite: ({ finite }) => finite,
  "census.C": ({ census }) => census.C,
  "census.P": ({ census }) => census.P,
  "census.unique": ({ census }) => census.unique,
  displacement: ({ displacement }) => displacement.float64,
  centroidNorm: ({ centroidNorm }) => centroidNorm.at(-1)?.[1] ?? null,
};

/** Timings of runs, which always differ. */
export const timings: typeof outcomes = {
  seconds: ({ seconds }) => seconds,
  stepsPerSecond: ({ stepsPerSecond }) => stepsPerSecond,
  "usage.cpuCores": ({ usage }) => usage?.cpuCores ?? null,
  "usage.peakBytes": ({ usage }) => usage?.peakBytes ?? null,
};

/** Measures of several runs, including equal ones. */
export function compareResults(results: readonly TrainResult[], measures: typeof outcomes): Result[] {
  return compareMeasures(results.map((result) => Object.fromEntries(Object.entries(measures).map(([path, measure]) => [path, measure(result)]))));
}

/** Measures by path, of which all have the same paths. */
export function compareMeasures(measures: readonly Readonly<Record<string, Value>>[]): Result[] {
  return Object.keys(measures[0] ?? {}).map((path) => {
    const values = measures.map((each) => each[path] ?? null);
    const difference = values.map((value) => distance(value, values[0]));
    return { path, values, difference, relative: difference.map((far) => part(far, values[0])) };
  });
}

type Value = Result["values"][number];

function distance(value: Value, first: Value | undefined): number | null {
  return typeof value === "number" && typeof first === "number" ? value - first : null;
}

function part(difference: number | null, whole: Value | undefined): number | null {
  if (difference === null || typeof whole !== "number") return null;
  if (difference === 0) return 0;
  return whole === 0 ? null : difference / Math.abs(whole);
}
