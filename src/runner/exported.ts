import { z } from "zod";

/** Export formats: `hf` for the final model, `csv` for one state, the others for the history. */
export const exportTargets = ["hf", "safetensors", "hdf5", "npy", "csv"] as const;
export type ExportTarget = (typeof exportTargets)[number];

const sizeSchema = z.int().nonnegative();

/** The result of an export. */
export const exportedSchema = z.strictObject({
  source: z.string(),
  to: z.enum(exportTargets),
  /** The new file or directory. */
  out: z.string(),
  /** The exported tensor; absent for `hf`, which exports the whole final model. */
  tensor: z.string().optional(),
  /** Shape of the exported history or matrix. */
  shape: z.array(sizeSchema).optional(),
  /** The token of each row, if the run recorded chosen tokens. */
  tokenIds: z.array(sizeSchema).optional(),
  /** Bytes of all files together. */
  bytes: sizeSchema,
});
export type Exported = z.output<typeof exportedSchema>;
