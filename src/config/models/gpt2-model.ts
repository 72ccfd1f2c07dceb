import { z } from "zod";
import { builtFields, equalHeads, type Family, type ModelParameter, ownModelShape, vocabularySchema } from "./family.js";
import type { gpt2ConfigShape } from "./model-configs.generated.js";

const probability = z.number().min(0).max(1);

/** The fields of GPT2Config that a run can set, with the notebook's values as defaults. */
const explicitShape = {
  vocab_size: vocabularySchema,
  n_positions: z.int().min(2).default(128).describe("Maximum sequence length in tokens, and the default length of a training window."),
  n_embd: z.int().min(1).default(64).describe("Width of the embedding and of the residual stream; a multiple of n_head."),
  n_layer: z.int().min(1).default(2).describe("Number of transformer blocks."),
  n_head: z.int().min(1).default(2).describe("Attention heads per block."),
  n_inner: z.int().min(1).nullable().default(null).describe("Width of the feed-forward layers; null uses 4 × n_embd."),
  activation_function: z.string().min(1).default("gelu_new").describe("Activation of the feed-forward layers, by its name in transformers."),
  resid_pdrop: probability.default(0).describe("Dropout on the output of each layer before it is added to the residual stream."),
  embd_pdrop: probability.default(0).describe("Dropout on the embeddings."),
  attn_pdrop: probability.default(0).describe("Dropout on the attention weights."),
  layer_norm_epsilon: z.number().positive().default(1e-5).describe("Epsilon of every norm."),
  initializer_range: z.number().positive().default(0.02).describe("Standard deviation of the model's own initialisation."),
  scale_attn_weights: z.boolean().default(true).describe("Divide attention scores by the square root of the head width."),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false).describe("Also divide attention scores by the number of the block, counted from 1."),
  reorder_and_upcast_attn: z.boolean().default(false).describe("Scale queries before the attention product, and compute it in float32."),
  tie_word_embeddings: z.boolean().default(true).describe("Use one matrix as embedding and output head."),
} satisfies Partial<Record<keyof typeof gpt2ConfigShape, z.ZodType>>;

export const gpt2ConfigSchema = z.strictObject(explicitShape);

const norm = z
  .enum(["rmsnorm", "layernorm", "native"])
  .default("rmsnorm")
  .transform((name) => (name === "native" ? "layernorm" : name))
  .pipe(z.enum(["rmsnorm", "layernorm"]))
  .describe("`rmsnorm` replaces every LayerNorm by an RMSNorm without bias, with statistics in float32; `layernorm` or `native` keeps the LayerNorms.");

export const gpt2ModelSchema = z.strictObject({
  type: z.literal("gpt2").optional().default("gpt2").describe("Family of the model, by `model_type` of transformers."),
  norm,
  ...ownModelShape,
  ...explicitShape,
});
type Gpt2Model = z.output<typeof gpt2ModelSchema>;

type Gpt2Sizes = Pick<Gpt2Model, "vocab_size" | "n_positions" | "n_embd" | "n_layer" | "n_inner" | "tie_word_embeddings">;

/** Number of weights: embeddings; attention, feed-forward layers and two norms per block; a last norm; an untied head. */
export function gpt2WeightCount({ vocab_size, n_positions, n_embd, n_layer, n_inner, tie_word_embeddings }: Gpt2Sizes): number {
  const inner = n_inner ?? 4 * n_embd;
  const attention = 4 * n_embd * n_embd + 4 * n_embd;
  const feedForward = 2 * n_embd * inner + inner + n_embd;
  const block = attention + feedForward + 4 * n_embd;
  return (vocab_size * (tie_word_embeddings ? 1 : 2) + n_positions) * n_embd + n_layer * block + 2 * n_embd;
}

function gpt2Parameters({ n_embd: width, n_inner, n_layer, vocab_size, n_positions, tie_word_embeddings, norm: kind }: Gpt2Model): ModelParameter[] {
  const inner = n_inner ?? 4 * width;
  const weight = (name: string, size: number): ModelParameter => ({ name: `${name}.weight`, size, kind: "weight" });
  const linear = (name: string, inputs: number, outputs: number): ModelParameter[] => [
    weight(name, inputs * outputs),
    { name: `${name}.bias`, size: outputs, kind: "bias" },
  ];
  const normOf = (name: string): ModelParameter[] => [
    { name: `${name}.weight`, size: width, kind: "norm-weight" },
    ...(kind === "layernorm" ? [{ name: `${name}.bias`, size: width, kind: "norm-bias" } as const] : []),
  ];
  const block = (name: string) => [
    ...normOf(`${name}.ln_1`),
    ...linear(`${name}.attn.c_attn`, width, 3 * width),
    ...linear(`${name}.attn.c_proj`, width, width),
    ...normOf(`${name}.ln_2`),
    ...linear(`${name}.mlp.c_fc`, width, inner),
    ...linear(`${name}.mlp.c_proj`, inner, width),
  ];
  return [
    weight("transformer.wte", vocab_size * width),
    weight("transformer.wpe", n_positions * width),
    ...Array.from({ length: n_layer }, (_, layer) => block(`transformer.h.${layer}`)).flat(),
    ...normOf("transformer.ln_f"),
    ...(tie_word_embeddings ? [] : [weight("lm_head", vocab_size * width)]),
  ];
}

/** What the engines besides `trainer` support. */
const ownEngineFields = { activation_function: ["gelu_new"], resid_pdrop: [0], embd_pdrop: [0], attn_pdrop: [0], reorder_and_upcast_attn: [false] };

export const gpt2 = {
  title: "GPT-2",
  section: gpt2ModelSchema,
  architecture: gpt2ModelSchema.omit(builtFields),
  ownNorm: "layernorm",
  rules: [equalHeads],
  weights: gpt2WeightCount,
  parameters: gpt2Parameters,
  isReadFromWeights: true,
  knownBy: "n_embd",
  completeWith: ["vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "resid_pdrop", "embd_pdrop", "attn_pdrop"],
  engines: { fast: ownEngineFields, portable: ownEngineFields },
  isTrainedInBrowser: true,
  rmsNorm: { module: "modeling_gpt2_rmsnorm", name: "GPT2RMSNorm" },
} as const satisfies Family<Gpt2Model>;
