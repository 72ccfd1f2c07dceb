import { z } from "zod";
import type { gpt2ConfigShape } from "../gpt2-config.generated.js";
import { ownModelShape, vocabularySchema } from "./own-model-fields.js";

const probability = z.number().min(0).max(1);

/** The fields of transformers' GPT2Config that a run can set, under its names, with the seed's values. */
const explicitShape = {
  vocab_size: vocabularySchema,
  n_positions: z.int().min(2).default(128).describe("Longest sequence, and the length of a training window, in tokens."),
  n_embd: z.int().min(1).default(64).describe("Width of the embedding and of the residual stream; a multiple of n_head."),
  n_layer: z.int().min(1).default(2).describe("Transformer blocks."),
  n_head: z.int().min(1).default(2).describe("Attention heads in each block."),
  n_inner: z.int().min(1).nullable().default(null).describe("Width of the feed-forward layers; null is 4 × n_embd."),
  activation_function: z.string().min(1).default("gelu_new").describe("Activation of the feed-forward layers, by transformers' name."),
  resid_pdrop: probability.default(0).describe("Dropout on what each block adds to the residual stream."),
  embd_pdrop: probability.default(0).describe("Dropout on the embeddings."),
  attn_pdrop: probability.default(0).describe("Dropout on the attention weights."),
  layer_norm_epsilon: z.number().positive().default(1e-5).describe("Epsilon of every normalisation; RMSNorm takes it from the LayerNorm that it replaces."),
  initializer_range: z.number().positive().default(0.02).describe("Standard deviation of the model's own initialisation."),
  scale_attn_weights: z.boolean().default(true).describe("Divide attention scores by the square root of the head width."),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false).describe("Divide attention scores further by the block's number, counted from 1."),
  reorder_and_upcast_attn: z.boolean().default(false).describe("Scale attention before its product and compute that in float32."),
  tie_word_embeddings: z.boolean().default(true).describe("Use one matrix as embedding and as output head."),
} satisfies Partial<Record<keyof typeof gpt2ConfigShape, z.ZodType>>;

/** GPT2Config under its own names, as `createModel({ config })` takes it. */
export const gpt2ConfigSchema = z.strictObject(explicitShape);

const norm = z
  .enum(["rmsnorm", "layernorm", "native"])
  .default("rmsnorm")
  .transform((name) => (name === "native" ? "layernorm" : name))
  .pipe(z.enum(["rmsnorm", "layernorm"]))
  .describe("`rmsnorm` replaces every LayerNorm by an RMSNorm without bias, statistics in float32; `layernorm`, or `native`, leaves GPT-2 as it is.");

/** A GPT-2, the default. */
export const gpt2ModelSchema = z.strictObject({
  type: z.literal("gpt2").optional().default("gpt2").describe("The model's family, by transformers' `model_type`."),
  norm,
  ...ownModelShape,
  ...explicitShape,
});
