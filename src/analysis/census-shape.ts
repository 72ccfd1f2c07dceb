import { z } from "zod";

const count = z.int().nonnegative();
const counts = z.array(count).readonly();

/** The fields of a `Census` in a document. */
export const censusShape = {
  /** Rows that were looked at. */
  rows: count,
  /** Distinct values among them. */
  unique: count,
  /** Black holes: values that two or more rows share. */
  C: count,
  /** Rows in black holes. */
  P: count,
  /** Rows in each black hole, descending. */
  populations: counts,
  /** Tokens in each black hole, in the order of `populations`, ascending. */
  members: z.array(counts).readonly(),
  /** How these tokens are written, null for one without a text; absent where the vocabulary is not known. */
  texts: z.array(z.array(z.string().nullable()).readonly()).readonly().optional(),
};
