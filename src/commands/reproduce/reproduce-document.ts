import { z } from "zod";
import { reproductionSchema } from "../../compare/reproduce.js";

/** The document of `reproduce --json`. */
export const reproduceDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/reproduce@1"), ...reproductionSchema.shape });
export type ReproduceDocument = z.output<typeof reproduceDocumentSchema>;
