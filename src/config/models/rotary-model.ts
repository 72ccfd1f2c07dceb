import { z } from "zod";
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
