import { z } from "zod";
import type { ModelInput } from "../run-config-input.generated.js";
import { productOwnedModelConfig } from "../training-schema.js";
import {
  builtFields,
  equalHeads,
  type Family,
  modelFieldSchema,
  normSchema,
  type OwnModelField,
  ownModelShape,
  type SizeRule,
  vocabularySchema,
} from "./family.js";
import { gpt2, gpt2WeightCount } from "./gpt2-model.js";
import { llamaConfigShape, otherModelTypes, qwen3ConfigShape } from "./model-configs.generated.js";
import { pythonModelSchema } from "./python-model.js";

/** The sizes of Llama and Qwen3, with those of the notebook's GPT-2 as defaults. */
const rotaryShape = {
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

const rotaryRules: readonly SizeRule<RotarySizes>[] = [
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
function rotaryWeightCount(model: RotarySizes, moreNorms = 0): number {
  const { vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, tie_word_embeddings } = model;
  const attention = 2 * hidden_size * head_dim * (num_attention_heads + num_key_value_heads);
  const block = attention + 3 * hidden_size * intermediate_size + 2 * hidden_size + moreNorms;
  return vocab_size * (tie_word_embeddings ? 1 : 2) * hidden_size + num_hidden_layers * block + hidden_size;
}

/** What engine `portable` supports of Llama and Qwen3. */
const portableRotaryFields = {
  hidden_act: ["silu"],
  attention_dropout: [null, 0],
  rope_parameters: [null, "default"],
  pad_token_id: [null],
} as const;

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
function settableFields<Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape): Settable<Shape> {
  const settable = Object.entries(shape).filter(([name]) => name !== "dtype" && !Object.hasOwn(productOwnedModelConfig, name));
  return Object.fromEntries(
    settable.map(([name, field]) => [name, field.describe(`${notes[name]} Default: ${name.endsWith("_token_id") ? "null" : "that of transformers"}.`)]),
  ) as Settable<Shape>;
}

/** The fields of LlamaConfig, with the notebook's sizes; other omitted fields use the defaults of transformers. */
const llamaModelSchema = z.strictObject({
  type: z.literal("llama").describe("Family of the model, by `model_type` of transformers."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(llamaConfigShape),
  ...rotaryShape,
});

const llama = {
  title: "Llama",
  section: llamaModelSchema,
  architecture: llamaModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: rotaryRules,
  weights: (model) => rotaryWeightCount(model),
  engines: { portable: portableRotaryFields },
} as const satisfies Family<z.output<typeof llamaModelSchema>>;

/** The fields of Qwen3Config, with the notebook's sizes; other omitted fields use the defaults of transformers. */
const qwen3ModelSchema = z.strictObject({
  type: z.literal("qwen3").describe("Family of the model, by `model_type` of transformers."),
  norm: normSchema,
  ...ownModelShape,
  ...settableFields(qwen3ConfigShape),
  ...rotaryShape,
});

const qwen3 = {
  title: "Qwen3",
  section: qwen3ModelSchema,
  architecture: qwen3ModelSchema.omit(builtFields),
  ownNorm: "native",
  rules: rotaryRules,
  // Queries and keys have norms of their own.
  weights: (model) => rotaryWeightCount(model, 2 * model.head_dim),
  // A LayerNorm would also replace the norms of queries and keys.
  engines: { portable: { ...portableRotaryFields, norm: ["native", "rmsnorm"], use_sliding_window: [false], layer_types: [null, "full_attention"] } },
} as const satisfies Family<z.output<typeof qwen3ModelSchema>>;

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

const tinylm = {
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

/** Any other family: Python checks its fields against the configuration class before the model is built. */
const otherModelSchema = z
  .object({
    type: z.enum(otherModelTypes).describe("Family of the model, by `model_type` of transformers. Its other fields are those of its configuration class."),
    norm: normSchema,
    ...ownModelShape,
    vocab_size: vocabularySchema,
  })
  .catchall(modelFieldSchema);

/** The described families, by `model_type`. */
export const families = { gpt2, llama, qwen3, tinylm } as const;
export type FamilyName = keyof typeof families;

/** The family of a configuration without `model.type`. */
export const defaultFamily = "gpt2" satisfies FamilyName;

const [first, ...further] = Object.values(families);
if (first === undefined) throw new Error("there is no family");

/** The model, by `type`: the fields of its configuration in transformers, and how it is built. */
export const modelSchema = z.discriminatedUnion("type", [first.section, ...further.map(({ section }) => section), pythonModelSchema, otherModelSchema]);

/** The architecture that Python receives, without the fields on how the model is built. */
export const architectureSchema = z.discriminatedUnion("type", [
  first.architecture,
  ...further.map(({ architecture }) => architecture),
  pythonModelSchema.omit(builtFields),
  otherModelSchema.omit(builtFields),
]);

/** The section `model` of any family. */
export type ModelConfig = z.output<typeof modelSchema>;

/** The description of a family; undefined for a family whose fields only Python knows. */
export function familyOf({ type }: { readonly type: unknown }): Family<ModelConfig> | undefined {
  return typeof type === "string" && Object.hasOwn(families, type) ? (families[type as FamilyName] as unknown as Family<ModelConfig>) : undefined;
}

/** Whether a model can be trained from a file of weights alone. */
export function isReadFromWeights(model: ModelConfig): model is Extract<ModelConfig, { type: ReadFromWeights }> {
  return familyOf(model)?.isReadFromWeights === true;
}
type ReadFromWeights = { [Name in FamilyName]: (typeof families)[Name] extends { isReadFromWeights: true } ? Name : never }[FamilyName];

/** Whether a browser can train a model again. */
export function isTrainedInBrowser(model: ModelConfig): model is Extract<ModelConfig, { type: TrainedInBrowser }> {
  return familyOf(model)?.isTrainedInBrowser === true;
}
type TrainedInBrowser = { [Name in FamilyName]: (typeof families)[Name] extends { isTrainedInBrowser: true } ? Name : never }[FamilyName];

/** Whether a model has an output head separate from its embedding. */
export function hasOwnHead(model: ModelConfig): boolean {
  const isTied = "tie_word_embeddings" in model && model.tie_word_embeddings;
  return !familyOf(model)?.isAlwaysTied && !isTied;
}

/** The family of a saved `config.json` without `model_type`. */
export function familyWithoutName(saved: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(families).find((type) => {
    const { knownBy } = familyOf({ type }) ?? {};
    return knownBy !== undefined && saved[knownBy] !== undefined;
  });
}

/** The argument of `createModel({ config })`: the fields of a family's configuration, all optional. */
export type FamilyInput<Type extends FamilyName> = Omit<Extract<ModelInput, { type?: Type | undefined }>, OwnModelField>;
/** Fields of a GPT-2, under the names of transformers. */
export type GPT2Config = FamilyInput<"gpt2">;
/** Fields of a Llama, under the names of transformers. */
export type LlamaConfig = FamilyInput<"llama">;
/** Fields of a Qwen3, under the names of transformers. */
export type Qwen3Config = FamilyInput<"qwen3">;
/** Fields of the small model of the notebook series. */
export type TinyLMConfig = FamilyInput<"tinylm">;

/** A family whose fields only Python knows. */
export type OtherModelType = (typeof otherModelTypes)[number];
