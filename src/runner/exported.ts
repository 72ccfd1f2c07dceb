import { z } from "zod";

/** What a run can be exported to: its final model, one state as CSV, or its history. */
export const exportTargets = ["hf", "safetensors", "hdf5", "npy", "csv"] as const;
export type ExportTarget = (typeof exportTargets)[number];

const count = z.int().nonnegative();

/** What an export wrote. */
export const exportedSchema = z.strictObject({
  source: z.string(),
  to: z.enum(exportTargets),
  /** The file or directory that was made. */
  out: z.string(),
  /** The tensor that was written; absent for `hf`, which takes the whole final model. */
  tensor: z.string().optional(),
  /** Its shape as written: a history, or a matrix. */
  shape: z.array(count).optional(),
  /** The token of each row, where the run recorded chosen tokens alone. */
  tokenIds: z.array(count).optional(),
  /** Bytes of all files together. */
  bytes: count,
});
export type Exported = z.output<typeof exportedSchema>;
