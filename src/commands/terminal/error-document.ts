import { z } from "zod";
import { type BhBridgeError, errorCodes } from "../../errors.js";

/** What `--json` prints when a command fails. */
export const errorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/error@1"),
  code: z.enum(errorCodes),
  message: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), message: z.string(), source: z.string().optional() })),
});
export type ErrorDocument = z.output<typeof errorDocumentSchema>;

/** The document of an error. */
export function errorDocument({ code, message, issues = [] }: BhBridgeError): ErrorDocument {
  return { schema: "bh-bridge/error@1", code, message, issues };
}
