import { z } from "zod";
import { productOwnedModelConfig } from "../training-schema.js";
import { type SizeRule, vocabularySchema } from "./family.js";

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

/** What transformers' configurations of several families call alike, in words. */
const notes: Readonly<Record<string, string>> = {
  hidden_act: "Activation of the feed-forward layers, by transformers' name.",
  initializer_range: "Standard deviation of the model's own initialisation.",
  rms_norm_eps: "Epsilon of every normalisation.",
  rope_parameters: "How positions are rotated: `rope_type`, `rope_theta`, and what the type takes.",
  attention_bias: "Give the projections of attention a bias.",
  attention_dropout: "Dropout on the attention weights.",
  mlp_bias: "Give the feed-forward layers a bias.",
  pretraining_tp: "Read by older versions of transformers alone.",
  use_sliding_window: "Let the upper blocks see the last sliding_window tokens alone.",
  sliding_window: "Tokens that a block with a sliding window sees.",
  max_window_layers: "Blocks without a sliding window, where there is one.",
  layer_types: "Kind of attention of each block: `full_attention` or `sliding_attention`.",
};

type Settable<Shape> = Omit<Shape, keyof typeof productOwnedModelConfig | "dtype">;

/** The fields of a generated shape that a run can set, each with its note. */
export function settableFields<Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape): Settable<Shape> {
  const settable = Object.entries(shape).filter(([name]) => name !== "dtype" && !Object.hasOwn(productOwnedModelConfig, name));
  return Object.fromEntries(settable.map(([name, field]) => [name, field.describe(`${notes[name]} Left out: transformers' default.`)])) as Settable<Shape>;
}
