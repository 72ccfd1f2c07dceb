import { z } from "zod";
import { isPlainObject } from "../config/json-value.js";
import { threeDigits } from "../text/format.js";

/**
 * How steps are computed, and why: what event `step_method` and `run.json` say. `reference_seconds` and `seconds` are the time of a batch (`exact`) or of a
 * step (`graphed`) without and with the method, where both were measured. `compiled` is of earlier versions, and `seconds` how long compiling took.
 */
export const stepMethodFields = {
  method: z.enum(["exact", "compiled", "graphed", "portable"]),
  used: z.boolean(),
  reason: z.string(),
  reference_seconds: z.number().nullable(),
  seconds: z.number().nullable(),
};
const stepMethodSchema = z.strictObject(stepMethodFields);
export type StepMethod = z.output<typeof stepMethodSchema>;

/** `Exact step: used, equal bits, and faster (70.0 → 50.0 ms)`; of a compiled step, how long compiling took. */
export function stepMethodText({ method, used, reason, reference_seconds, seconds }: StepMethod): string {
  const name = { exact: "Exact step", compiled: "Compiled step", graphed: "Graphed step", portable: "Portable step" }[method];
  const compared = reference_seconds === null || seconds === null ? "" : ` (${milliseconds(reference_seconds)} → ${milliseconds(seconds)} ms)`;
  const times = method === "compiled" && seconds !== null ? ` (${seconds.toFixed(1)} s)` : compared;
  return `${name}: ${used ? "used" : "not used"}, ${reason}${times}`;
}

const milliseconds = (seconds: number) => threeDigits(seconds * 1000);

/** Names of the events and of the entries of `run.json` that earlier versions had for each method. */
const oldNames = { exact_step: "exact", compiled_step: "compiled", graphed_step: "graphed" } as const;
export const oldStepEvents = Object.keys(oldNames) as (keyof typeof oldNames)[];

/** The fields of today for an event or an entry of an earlier version; anything else as it is. */
function inTodaysFields(method: StepMethod["method"], old: Record<string, unknown>): Record<string, unknown> {
  const { plain_seconds, exact_seconds, eager_seconds, graphed_seconds, seconds, ...rest } = old;
  return {
    ...rest,
    method,
    reference_seconds: plain_seconds ?? eager_seconds ?? null,
    seconds: exact_seconds ?? graphed_seconds ?? seconds ?? null,
  };
}

/** An event as it is written today, of one that any version wrote. */
export function presentEvent(event: unknown): unknown {
  if (!isPlainObject(event)) return event;
  const type = oldStepEvents.find((name) => name === event["type"]);
  return type === undefined ? event : { ...inTodaysFields(oldNames[type], event), type: "step_method" };
}

/** The entry of `run.json` after one more method was tried: a method that is used stays until another is. */
export function latestMethod(before: StepMethod | null | undefined, now: StepMethod): StepMethod {
  return before?.used && !now.used && before.method !== now.method ? before : now;
}

/** `run.json` as it is written today, of one that any version wrote. */
export function presentManifest(manifest: unknown): unknown {
  if (!isPlainObject(manifest)) return manifest;
  const { exact_step, compiled_step, graphed_step, stack, ...rest } = manifest;
  const told = Object.entries({ exact_step, compiled_step, graphed_step }).filter(([, entry]) => entry !== undefined);
  const methods = told.flatMap(([name, entry]) => {
    const method = oldNames[name as keyof typeof oldNames];
    return isPlainObject(entry) ? [inTodaysFields(method, entry) as StepMethod] : [];
  });
  return {
    ...rest,
    ...(stack !== undefined && { batched_runs: stack }),
    ...(told.length > 0 && { step_method: methods.reduce<StepMethod | null>(latestMethod, null) }),
  };
}
