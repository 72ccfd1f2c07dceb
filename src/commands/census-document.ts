import { z } from "zod";

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
  /** Rows that were looked at. */
  rows: count,
  /** Distinct values among them. */
  unique: count,
  /** Black holes: values that two or more rows share. */
  C: count,
  /** Rows in black holes. */
  P: count,
  /** Rows in each black hole, descending. */
  populations: z.array(count),
  /** Row numbers in each black hole, in the order of `populations`, ascending. */
  members: z.array(z.array(count)),
});
export type CensusDocument = z.output<typeof censusDocumentSchema>;
