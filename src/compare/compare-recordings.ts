import { z } from "zod";
import { type CompareHistoriesOptions, compareHistories, type DifferingPlace, type HistoryComparison } from "../analysis/compare-histories.js";
import { exactNumberSchema } from "../analysis/document-fields.js";
import { embeddingHistory, historyTensors } from "../formats/history-tensor.js";
import { openHistory } from "../runs/open-history.js";
import { openRunHistories } from "../runs/open-run-directory.js";

const count = z.int().nonnegative();

/** The first place in which what two runs recorded differs. */
export const differingRecordSchema = z.strictObject({
  step: count,
  /** As `record.tensors` calls it. */
  tensor: z.string(),
  token: count,
  component: count,
  a: exactNumberSchema,
  b: exactNumberSchema,
  /** Steps from one number of the stored dtype to the next; null where one is NaN. */
  ulp: z.number().nullable(),
});

/** What a comparison of the histories of two runs found. */
export const recordingComparisonSchema = z.strictObject({
  /** Whether every tensor, step and token that both recorded has the same bits, and both end at the same step. */
  equal: z.boolean(),
  first: differingRecordSchema.nullable(),
  /** The newest step up to which all of that is equal in every bit; null when there is none. */
  equalTo: count.nullable(),
  /** Why they are not equal, where no bit of what both recorded differs. */
  reason: z.string().nullable(),
});
export type RecordingComparison = z.output<typeof recordingComparisonSchema>;

/**
 * Compare everything that two runs recorded, in all its bits; what one of them alone recorded is a difference of their configurations.
 *
 * @param a directory of a run.
 * @throws {BhBridgeError} as `openHistory` and `compareHistories`.
 */
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

/** The comparisons of all tensors in one: the earliest difference, the first tensor's of those at one step. */
function worst(found: readonly (HistoryComparison & { tensor: string })[]): RecordingComparison {
  const first = found.flatMap(({ first, tensor }) => (first ? [placeIn(tensor, first)] : [])).reduce<RecordingComparison["first"]>(earlier, null);
  const told = found.find(({ reason }) => reason !== null);
  const steps = found.map(({ equalTo }) => equalTo ?? -1);
  const equalTo = Math.min(...steps);
  return {
    equal: found.length > 0 && found.every(({ equal }) => equal),
    first,
    equalTo: equalTo < 0 || !Number.isFinite(equalTo) ? null : equalTo,
    reason: first ? null : told ? `${told.tensor}: ${told.reason}` : found.length === 0 ? "no tensor was recorded in both" : null,
  };
}

function placeIn(tensor: string, { step, ...place }: DifferingPlace): NonNullable<RecordingComparison["first"]> {
  return { step, tensor, ...place };
}

function earlier(first: RecordingComparison["first"], other: NonNullable<RecordingComparison["first"]>): RecordingComparison["first"] {
  return first && first.step <= other.step ? first : other;
}
