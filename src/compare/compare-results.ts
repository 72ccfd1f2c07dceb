import { z } from "zod";
import { finalLoss, type TrainResult } from "../runner/train-result.js";

/** One measure of several runs side by side, and how far each is from the first run: absolute, and as a part of it; null where that is not a number. */
export const resultSchema = z.strictObject({
  path: z.string(),
  values: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])),
  difference: z.array(z.number().nullable()),
  relative: z.array(z.number().nullable()),
});
export type Result = z.output<typeof resultSchema>;

/** What came out of runs, and with it their verdicts. */
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

/** What runs took: other every time. */
export const timings: typeof outcomes = {
  seconds: ({ seconds }) => seconds,
  stepsPerSecond: ({ stepsPerSecond }) => stepsPerSecond,
  "usage.cpuCores": ({ usage }) => usage?.cpuCores ?? null,
  "usage.peakBytes": ({ usage }) => usage?.peakBytes ?? null,
};

/** Measures of several runs, equal ones too. */
export function compareResults(results: readonly TrainResult[], measures: typeof outcomes): Result[] {
  return Object.entries(measures).map(([path, measure]) => {
    const values = results.map(measure);
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
