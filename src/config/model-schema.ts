import { z } from "zod";
import type { gpt2ConfigShape } from "./gpt2-config.generated.js";
import type { ModelInput } from "./run-config-input.generated.js";

const probability = z.number().min(0).max(1);

/** The fields of transformers' GPT2Config that a run can set, under its names, with the seed's values. */
const explicitShape = {
  vocab_size: z.int().min(2).default(128).describe("Rows of the embedding. Bytes of the corpus at or above it are dropped."),
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

/** Keys of `model` that are the product's own and not arguments of GPT2Config. */
export const ownModelFields = ["norm", "dtype", "from"] as const;

/** What `createModel({ config })` takes: GPT2Config's fields under their own names, every one optional. */
export type GPT2Config = Omit<ModelInput, (typeof ownModelFields)[number]>;

const normSchema = z
  .enum(["rmsnorm", "layernorm"])
  .describe("`rmsnorm` replaces every LayerNorm by an RMSNorm without bias, statistics in float32; `layernorm` leaves GPT-2 as it is.");

export const dtypeSchema = z
  .enum(["bfloat16", "float32", "float32-master"])
  .describe("`bfloat16` or `float32` weights throughout; `float32-master` steps float32 weights and computes and records with their bfloat16 roundings.");

/** The model: GPT2Config's own names, and three fields on how it is built. */
export const modelSchema = z.strictObject({
  norm: normSchema.default("rmsnorm"),
  dtype: dtypeSchema.default("bfloat16"),
  from: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A saved GPT-2 to start from: a directory in HF layout, or a file with its weights (.pt, .bin, .safetensors, .npz). Its architecture replaces the fields below; set n_head where a file of weights alone does not tell it. A relative path in a config file starts at that file.",
    ),
  ...explicitShape,
});
