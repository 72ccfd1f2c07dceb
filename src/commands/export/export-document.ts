import { z } from "zod";

export const exportTargets = ["hf", "safetensors", "hdf5", "npy", "csv"] as const;
export type ExportTarget = (typeof exportTargets)[number];

const count = z.int().nonnegative();

/** The document of `export --json`. */
export const exportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/export@1"),
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
  /** The command that uploads a model; it was not run. */
  upload: z.string().optional(),
});
export type ExportDocument = z.output<typeof exportDocumentSchema>;
