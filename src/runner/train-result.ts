import { z } from "zod";
import { censusShape } from "../analysis/census-shape.js";
import { engines } from "../config/engines.js";

const count = z.int().nonnegative();

/** The document of `train --json` and `resume --json`, and the result of a finished run. */
export const trainResultSchema = z.strictObject({
  schema: z.literal("bh-bridge/train-result@1"),
  /** Path of the run directory. */
  run: z.string(),
  /** `running`: a process trains it now. `interrupted`: none does, and none noted how it ended. */
  status: z.enum(["running", "interrupted", "completed", "stopped", "failed"]),
  engine: z.enum(engines),
  steps: z.strictObject({ planned: count, done: count }),
  /** Seconds of training, all parts of a resumed run together. */
  seconds: z.number(),
  stepsPerSecond: z.number(),
  parameters: count,
  environment: z.strictObject({ device: z.string(), threads: count, python: z.string(), torch: z.string(), transformers: z.string() }),
  corpus: z.strictObject({ sha256: z.string(), tokens: count, distinct: count, dead: count, windows: count, filtered: count }),
  /** Step and mean loss since the entry before; null for a loss that is not finite. */
  loss: z.array(z.tuple([count, z.number().nullable()])),
  /** Whether every recorded weight is a finite number at the end. A run of which this is false has failed: `train` ends with exit code 1. */
  finite: z.boolean(),
  /** Of the last state, among the recorded tokens, dead and live. */
  census: z.strictObject(censusShape),
  displacement: z.strictObject({ float64: z.number().nullable(), float32: z.number().nullable(), bfloat16: z.number().nullable() }),
  /** State and L2 norm of its centroid, every 1,000 steps and at the end. */
  centroidNorm: z.array(z.tuple([count, z.number().nullable()])),
  verdict: z.strictObject({ result: z.enum(["null", "positive", "degenerate"]), reason: z.string() }),
  /** What the Python process used: cores busy on average, memory at its peak; null before the first report. */
  usage: z.strictObject({ cpuCores: z.number(), peakBytes: count, gpuPeakBytes: count.nullable() }).nullable(),
  /** The notebook's traps that this run reproduces, and an engine that is not the notebook's, each with the setting that corrects it. */
  traps: z.array(z.strictObject({ what: z.string(), corrected: z.string() })),
});
export type TrainResult = z.output<typeof trainResultSchema>;

/** Why a run has failed that took all its steps, to weights of which `finite` is false. */
export const notFinite = "at the end the weights are not all finite numbers";

/** Mean training loss since the log before, at the last log; null where none was logged, or it is not finite. */
export function finalLoss({ loss }: Pick<TrainResult, "loss">): number | null {
  return loss.at(-1)?.[1] ?? null;
}
