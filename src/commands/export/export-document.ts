import { z } from "zod";
import { exportedSchema } from "../../runner/exported.js";

/** The document of `export --json`. */
export const exportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/export@1"),
  ...exportedSchema.shape,
  /** The command that uploads a model; it was not run. */
  upload: z.string().optional(),
});
export type ExportDocument = z.output<typeof exportDocumentSchema>;
