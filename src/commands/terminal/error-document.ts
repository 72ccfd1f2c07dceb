import { z } from "zod";
import { errorCodes } from "../../errors.js";

/** The document of `--json` when a command fails. */
export const errorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/error@1"),
  code: z.enum(errorCodes),
  message: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), message: z.string(), source: z.string().optional() })),
});
export type ErrorDocument = z.output<typeof errorDocumentSchema>;
