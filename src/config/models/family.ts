import { z } from "zod";

/** A rule on the sizes of a model. */
export interface SizeRule<Model> {
  /** Field of `model` that the message names. */
  field: Extract<keyof Model, string>;
  /** Other fields of `model` that the rule reads. */
  reads: readonly Extract<keyof Model, string>[];
  /** What is wrong and how to fix it; undefined if nothing is. */
  problem(model: Model): string | undefined;
}

/** A parameter tensor of a model. */
export interface ModelParameter {
  /** Name in PyTorch. */
  readonly name: string;
  /** Number of elements. */
  readonly size: number;
  readonly kind: "weight" | "bias" | "norm-weight" | "norm-bias";
}

/** The description of a family of models. */
export interface Family<Model = never> {
  /** Name for people. */
  readonly title: string;
  /** Section of a configuration. */
  readonly section: z.ZodObject;
  /** The architecture that Python receives. */
  readonly architecture: z.ZodObject;
  /** Value of `model.norm` for the family's own norms. */
  readonly ownNorm: "native" | "layernorm";
  readonly rules: readonly SizeRule<Model>[];
  weights(model: Model): number;
  /** Parameters in PyTorch's order; absent if unknown. */
  parameters?(model: Model): readonly ModelParameter[];
  /** Whether the embedding always serves as output head. */
  readonly isAlwaysTied?: boolean;
  /** Whether training can start from a file of weights alone. */
  readonly isReadFromWeights?: boolean;
  /** Field that identifies the family in a `config.json` without `model_type`. */
  readonly knownBy?: string;
  /** Fields with the notebook's defaults. The `config.json` of a saved model that names all of them is read without Python; absent for a family whose fields have changed. */
  readonly completeWith?: readonly string[];
  /** Whether a browser can train it again, with the library of engine `portable`. */
  readonly isTrainedInBrowser?: boolean;
  /** The engines besides `trainer` that support the family, with the fields of which they support only some values. */
  readonly engines?: Readonly<Partial<Record<"fast" | "portable", Readonly<Record<string, readonly unknown[]>>>>>;
  /** Python module and class of the model with RMSNorm (default: `modeling_other_norms` builds the class). */
  readonly rmsNorm?: { readonly module: string; readonly name: string };
  /** Python module of the model, which is copied to saved models; absent for a family of transformers. */
  readonly source?: string;
}

/** Fields on how the model is built, which are not part of its architecture. */
export const builtFields = { norm: true, dtype: true, from: true } as const;

/** All heads have the same width. */
export const equalHeads: SizeRule<{ n_embd: number; n_head: number }> = {
  field: "n_embd",
  reads: ["n_head"],
  problem: ({ n_embd, n_head }) =>
    n_embd % n_head === 0 ? undefined : `${n_embd} is not divisible by model.n_head = ${n_head}: all heads have the same width`,
};

export const dtypeSchema = z
  .enum(["bfloat16", "float32", "float32-master"])
  .describe(
    "Dtype of the weights: `bfloat16`, `float32`, or `float32-master`, which updates float32 weights but computes with and records their bfloat16 roundings.",
  );

/** The norms of a family other than GPT-2. */
export const normSchema = z
  .enum(["native", "rmsnorm", "layernorm"])
  .default("native")
  .describe(
    "`native` keeps the family's norms; `rmsnorm` replaces each by an RMSNorm without bias, `layernorm` by a LayerNorm with bias, with the same epsilon.",
  );

export const vocabularySchema = z
  .int()
  .min(2)
  .default(128)
  .describe(
    "Rows of the embedding. Without a tokenizer, tokens are bytes: of UTF-8 with 256 rows or more, else of ASCII, and bytes at or above this number are dropped.",
  );

/** A field that only Python checks. */
export const modelFieldSchema = z.json().meta({ id: "ModelField" });

/** Fields of every family on how the model is built. */
export const ownModelShape = {
  dtype: dtypeSchema.default("bfloat16"),
  from: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Saved model to start from: a directory in HF layout or, for GPT-2, a file of weights (.pt, .bin, .safetensors, .npz). Its architecture replaces the fields below; for a file of weights, set n_head. A relative path in a config file starts at that file.",
    ),
};

/** Fields of `model` that transformers does not have. */
export const ownModelFields = ["type", "norm", "dtype", "from"] as const;
export type OwnModelField = (typeof ownModelFields)[number];
