import { z } from "zod";
import { productOwnedModelConfig } from "../training-schema.js";
import { type SizeRule, vocabularySchema } from "./family.js";

/** The sizes of Llama and Qwen3, with those of the notebook's GPT-2 as defaults. */
export const rotaryShape = {
  vocab_size: vocabularySchema,
  hidden_size: z.int().min(1).default(64).describe("Width of the embedding and of the residual stream."),
  intermediate_size: z.int().min(1).default(256).describe("Width of the feed-forward layers."),
  num_hidden_layers: z.int().min(1).default(2).describe("Number of transformer blocks."),
  num_attention_heads: z.int().min(1).default(2).describe("Query heads per block."),
  num_key_value_heads: z.int().min(1).default(2).describe("Key and value heads per block; a divisor of num_attention_heads."),
  head_dim: z.int().min(2).default(32).describe("Width of a head; even, since positions rotate pairs of components."),
  max_position_embeddings: z.int().min(2).default(128).describe("Maximum sequence length in tokens, and the default length of a training window."),
  tie_word_embeddings: z.boolean().default(true).describe("Use one matrix as embedding and output head."),
};

type RotarySizes = z.output<z.ZodObject<typeof rotaryShape>>;

export const rotaryRules: readonly SizeRule<RotarySizes>[] = [
  {
    field: "head_dim",
    reads: [],
    problem: ({ head_dim }) => (head_dim % 2 === 1 ? `must be even, since positions rotate pairs of components, got ${head_dim}` : undefined),
  },
  {
    field: "num_key_value_heads",
    reads: ["num_attention_heads"],
    problem: ({ num_attention_heads: heads, num_key_value_heads: groups }) =>
      heads % groups === 0 ? undefined : `must divide model.num_attention_heads (${heads}), got ${groups}`,
  },
];

/**
 * Number of weights: embedding; queries, keys, values, output, three feed-forward layers and two norms per block; a last norm; an untied head.
 * @param moreNorms weights of additional norms per block.
 */
export function rotaryWeightCount(model: RotarySizes, moreNorms = 0): number {
  const { vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, tie_word_embeddings } = model;
  const attention = 2 * hidden_size * head_dim * (num_attention_heads + num_key_value_heads);
  const block = attention + 3 * hidden_size * intermediate_size + 2 * hidden_size + moreNorms;
  return vocab_size * (tie_word_embeddings ? 1 : 2) * hidden_size + num_hidden_layers * block + hidden_size;
}

/** Descriptions of fields that several families have. */
const notes: Readonly<Record<string, string>> = {
  hidden_act: "Activation of the feed-forward layers, by its name in transformers.",
  initializer_range: "Standard deviation of the model's own initialisation.",
  rms_norm_eps: "Epsilon of every norm.",
  rope_parameters: "Rotation of positions: `rope_type`, `rope_theta`, and the parameters of the type.",
  attention_bias: "Whether the attention projections have a bias.",
  attention_dropout: "Dropout on the attention weights.",
  mlp_bias: "Whether the feed-forward layers have a bias.",
  pretraining_tp: "Used only by older versions of transformers.",
  use_sliding_window: "Restrict the attention of the upper blocks to the last sliding_window tokens.",
  sliding_window: "Length of the sliding window in tokens.",
  max_window_layers: "Number of lower blocks without a sliding window.",
  pad_token_id: "Token whose embedding gets no gradient; null for none.",
  bos_token_id: "Token before a text, which generation uses.",
  eos_token_id: "Token after a text, at which generation stops.",
  layer_types: "Kind of attention of each block: `full_attention` or `sliding_attention`.",
};

type Settable<Shape> = Omit<Shape, keyof typeof productOwnedModelConfig | "dtype">;

/** The described fields of a generated shape that a run can set. */
export function settableFields<Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape): Settable<Shape> {
  const settable = Object.entries(shape).filter(([name]) => name !== "dtype" && !Object.hasOwn(productOwnedModelConfig, name));
  return Object.fromEntries(
    settable.map(([name, field]) => [name, field.describe(`${notes[name]} Default: ${name.endsWith("_token_id") ? "null" : "that of transformers"}.`)]),
  ) as Settable<Shape>;
}
