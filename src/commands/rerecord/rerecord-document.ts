import { z } from "zod";
import { rerecordingSchema } from "../../compare/rerecord.js";

/** The document of `rerecord --json`. */
export const rerecordDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/rerecord@1"), ...rerecordingSchema.shape });
export type RerecordDocument = z.output<typeof rerecordDocumentSchema>;
