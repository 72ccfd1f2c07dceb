import { z } from "zod";
import { builtFields, equalHeads, type Family, ownModelShape, vocabularySchema } from "./family.js";
import { gpt2WeightCount } from "./gpt2-model.js";

const norm = z
  .enum(["native", "rmsnorm", "layernorm"])
  .default("native")
  .transform((name) => (name === "layernorm" ? "native" : name))
  .pipe(z.enum(["native", "rmsnorm"]))
  .describe(
    "`native`, or `layernorm`, leaves the model's LayerNorms as they are; `rmsnorm` puts an RMSNorm without bias in the place of each, with its epsilon.",
  );

/** The programme's own small model, of torch's encoder layers: the sizes of TinyLMConfig, under GPT-2's names, with the seed's values. */
const tinylmModelSchema = z.strictObject({
  type: z.literal("tinylm").describe("The programme's own small model: torch's encoder layers with a causal mask, read out by the embedding."),
  norm,
  ...ownModelShape,
  vocab_size: vocabularySchema,
  n_positions: z.int().min(2).default(128).describe("Longest sequence, and the length of a training window, in tokens."),
  n_embd: z
    .int()
    .min(1)
    .default(64)
    .describe("Width of the embedding and of the residual stream; a multiple of n_head. Feed-forward layers are 4 times as wide."),
  n_layer: z.int().min(1).default(2).describe("Encoder layers; all begin as copies of one."),
  n_head: z.int().min(1).default(2).describe("Attention heads in each layer."),
  initializer_range: z.number().positive().default(0.02).describe("Standard deviation of the embeddings of tokens and positions as the model draws them."),
});

export const tinylm = {
  title: "TinyLM",
  section: tinylmModelSchema,
  architecture: tinylmModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: [equalHeads],
  weights: (model) => gpt2WeightCount({ ...model, n_inner: null, tie_word_embeddings: true }),
  isAlwaysTied: true,
  source: "modeling_tinylm",
} as const satisfies Family<z.output<typeof tinylmModelSchema>>;
