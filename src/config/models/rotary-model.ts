import { z } from "zod";
import type { SizeRule } from "./family.js";
import { vocabularySchema } from "./own-model-fields.js";

/** What Llama and Qwen3 name alike, as small as the seed's GPT-2. */
export const rotaryShape = {
  vocab_size: vocabularySchema,
  hidden_size: z.int().min(1).default(64).describe("Width of the embedding and of the residual stream."),
  intermediate_size: z.int().min(1).default(256).describe("Width of the feed-forward layers."),
  num_hidden_layers: z.int().min(1).default(2).describe("Transformer blocks."),
  num_attention_heads: z.int().min(1).default(2).describe("Heads of queries in each block."),
  num_key_value_heads: z.int().min(1).default(2).describe("Heads of keys and values; a divisor of num_attention_heads."),
  head_dim: z.int().min(2).default(32).describe("Width of a head; even, as positions are rotations of pairs."),
  max_position_embeddings: z.int().min(2).default(128).describe("Longest sequence, and the length of a training window, in tokens."),
  tie_word_embeddings: z.boolean().default(true).describe("Use one matrix as embedding and as output head."),
};

type RotarySizes = z.output<z.ZodObject<typeof rotaryShape>>;

/** Sizes of a model with rotary positions that have to fit each other. */
export const rotaryRules: readonly SizeRule<RotarySizes>[] = [
  {
    field: "head_dim",
    reads: [],
    problem: ({ head_dim }) => (head_dim % 2 === 1 ? `is ${head_dim}, and positions are rotations of pairs: set an even width` : undefined),
  },
  {
    field: "num_key_value_heads",
    reads: ["num_attention_heads"],
    problem: ({ num_attention_heads: heads, num_key_value_heads: groups }) =>
      heads % groups === 0 ? undefined : `${groups} does not divide model.num_attention_heads = ${heads}: as many queries share each head of keys and values`,
  },
];

/**
 * The embedding, for each block queries, keys, values, their output, three feed-forward layers and two norms, a last norm, a head.
 *
 * @param moreNorms weights of further norms in each block.
 */
export function rotaryWeightCount(model: RotarySizes, moreNorms = 0): number {
  const { vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, tie_word_embeddings } = model;
  const attention = 2 * hidden_size * head_dim * (num_attention_heads + num_key_value_heads);
  const block = attention + 3 * hidden_size * intermediate_size + 2 * hidden_size + moreNorms;
  return vocab_size * (tie_word_embeddings ? 1 : 2) * hidden_size + num_hidden_layers * block + hidden_size;
}
