import { z } from "zod";

/** The document of `tokenizer train --json`. */
export const tokenizerDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/tokenizer@1"),
  kind: z.enum(["char-bpe", "byte-bpe"]),
  path: z.string(),
  vocabulary: z.int().describe("Tokens that it has: fewer than were asked for where the corpus has no more to join"),
});
export type TokenizerDocument = z.output<typeof tokenizerDocumentSchema>;
