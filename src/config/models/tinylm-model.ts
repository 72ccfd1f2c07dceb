import { z } from "zod";
import { builtFields, equalHeads, type Family, ownModelShape, vocabularySchema } from "./family.js";
import { gpt2WeightCount } from "./gpt2-model.js";

const norm = z
  .enum(["native", "rmsnorm", "layernorm"])
  .default("native")
  .transform((name) => (name === "layernorm" ? "native" : name))
  .pipe(z.enum(["native", "rmsnorm"]))
  .describe("`native` or `layernorm` keeps the LayerNorms; `rmsnorm` replaces each by an RMSNorm without bias, with the same epsilon.");

/** The small model of the notebook series: the fields of TinyLMConfig, with the notebook's sizes as defaults. */
const tinylmModelSchema = z.strictObject({
  type: z.literal("tinylm").describe("The small model of the notebook series: PyTorch's encoder layers with a causal mask and a tied output head."),
  norm,
  ...ownModelShape,
  vocab_size: vocabularySchema,
  n_positions: z.int().min(2).default(128).describe("Maximum sequence length in tokens, and the default length of a training window."),
  n_embd: z
    .int()
    .min(1)
    .default(64)
    .describe("Width of the embedding and of the residual stream; a multiple of n_head. Feed-forward layers are 4 times as wide."),
  n_layer: z.int().min(1).default(2).describe("Number of encoder layers, all initialised as copies of one."),
  n_head: z.int().min(1).default(2).describe("Attention heads per layer."),
  initializer_range: z.number().positive().default(0.02).describe("Standard deviation of the initial token and position embeddings."),
});

export const tinylm = {
  title: "TinyLM",
  section: tinylmModelSchema,
  architecture: tinylmModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: [equalHeads],
  weights: (model) => gpt2WeightCount({ ...model, n_inner: null, tie_word_embeddings: true }),
  isAlwaysTied: true,
  completeWith: ["vocab_size", "n_positions", "n_embd", "n_layer", "n_head"],
  source: "modeling_tinylm",
} as const satisfies Family<z.output<typeof tinylmModelSchema>>;
