import { z } from "zod";
import { trackers } from "../config/run-config-fields.js";

/** How the model of a step is obtained: from a saved one, from the recorded differences of all weights, from the initial state, or by training again. */
export const modelSources = ["final", "checkpoint", "deltas", "start", "replay"] as const;

const tensorTargets = ["safetensors", "hdf5", "npy", "csv"] as const;
/** Files and trackers that hold the metrics of a run by training step. */
const metricsTargets = ["csv", "parquet", ...trackers] as const;
export type TensorTarget = (typeof tensorTargets)[number];
export type MetricsTarget = (typeof metricsTargets)[number];

/** Export formats: `hf` for the model; `csv` for one state or the metrics; `safetensors`, `hdf5` and `npy` for the history; `ro-crate` for a whole run, sweep or experiment; the others for the metrics. */
export const exportTargets = ["hf", ...tensorTargets, "parquet", ...trackers, "ro-crate"] as const;
/** Format of an export. */
export type ExportTarget = (typeof exportTargets)[number];

/** Whether an export holds metrics. @param metrics whether they are asked for, which a CSV needs. */
export function isOfMetrics(to: ExportTarget, metrics: boolean): to is MetricsTarget {
  return (metrics || to !== "csv") && (metricsTargets as readonly string[]).includes(to);
}

const sizeSchema = z.int().nonnegative();

/** The result of an export. */
export const exportedSchema = z.strictObject({
  source: z.string(),
  to: z.enum(exportTargets),
  /** The new file or directory. */
  out: z.string(),
  /** The step of an exported model, unless it is the final one. */
  step: sizeSchema.optional(),
  /** How the model of that step was obtained. */
  from: z.enum(modelSources).optional(),
  /** Number of recorded states that were compared with the model and the steps before it, all equal in every bit. */
  verified: sizeSchema.optional(),
  /** Names of the exported metrics. */
  metrics: z.array(z.string()).optional(),
  /** Number of training steps with metrics. */
  steps: sizeSchema.optional(),
  /** The exported tensor; absent for a whole model or run, and for metrics. */
  tensor: z.string().optional(),
  /** Shape of the exported history or matrix. */
  shape: z.array(sizeSchema).optional(),
  /** The token of each row, if the run recorded chosen tokens. */
  tokenIds: z.array(sizeSchema).optional(),
  /** Bytes of all files together. */
  bytes: sizeSchema,
});
export type Exported = z.output<typeof exportedSchema>;
