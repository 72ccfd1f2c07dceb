import { z } from "zod";
import { censusShape } from "../../analysis/document-fields.js";

const count = z.int().nonnegative();

/** The document of `census --json`. */
export const censusDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/census@1"),
  /** The file or directory as it was named. */
  source: z.string(),
  tensor: z.string(),
  dtype: z.string(),
  /** Tokens and dims of the matrix, which is one state when the tensor is a history. */
  shape: z.tuple([count, count]),
  ...censusShape,
});
export type CensusDocument = z.output<typeof censusDocumentSchema>;
