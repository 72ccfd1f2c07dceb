import { z } from "zod";
import { comparisonSchema } from "../../compare/compare.js";

/** The document of `compare --json`. */
export const compareDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/compare@1"), ...comparisonSchema.shape });
export type CompareDocument = z.output<typeof compareDocumentSchema>;
