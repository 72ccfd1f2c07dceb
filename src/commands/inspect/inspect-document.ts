import { z } from "zod";
import { inspectionSchema } from "../../runner/inspect.js";

/** The document of `inspect --json`. */
export const inspectDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/inspect@1"),
  ...inspectionSchema.shape,
  /** What can be done with it. */
  next: z.array(z.strictObject({ does: z.string(), command: z.string() })),
});
export type InspectDocument = z.output<typeof inspectDocumentSchema>;
