import { z } from "zod";

/** Two sizes of a model that have to fit each other. */
export interface SizeRule<Model> {
  /** The field of `model` that the message is shown at. */
  field: Extract<keyof Model, string>;
  /** The further fields of `model` that the rule reads. */
  reads: readonly Extract<keyof Model, string>[];
  /** What is wrong and how to fix it; undefined when nothing is. */
  problem(model: Model): string | undefined;
}

/** A tensor of parameters of a model. */
export interface ModelParameter {
  /** Its name in PyTorch. */
  readonly name: string;
  /** Number of its elements. */
  readonly size: number;
  readonly kind: "weight" | "bias" | "norm-weight" | "norm-bias";
}

/** What differs between families of models: each has one description, in the list of `families.ts`. */
export interface Family<Model = never> {
  /** Its name in a sentence. */
  readonly title: string;
  /** Its section of a configuration. */
  readonly section: z.ZodObject;
  /** The section without what is not architecture, as it reaches Python. */
  readonly architecture: z.ZodObject;
  /** The value of `model.norm` that stands for the family's own norms. */
  readonly ownNorm: "native" | "layernorm";
  readonly rules: readonly SizeRule<Model>[];
  /** Number of its weights. */
  weights(model: Model): number;
  /** Its parameters in PyTorch's order; absent where they are not known here. */
  parameters?(model: Model): readonly ModelParameter[];
  /** Whether the embedding is always its output head. */
  readonly isAlwaysTied?: boolean;
  /** Whether a file that holds nothing but its weights can be trained from. */
  readonly isReadFromWeights?: boolean;
  /** A field by which a `config.json` without a `model_type` is known to be of this family. */
  readonly knownBy?: string;
  /** The values that engine `fast` supports, of the fields of which it does not support all; absent where it does not support the family. */
  readonly fastEngine?: Readonly<Record<string, readonly unknown[]>>;
  /** Its classes with RMSNorm in a Python module of its own; by default they are made by `modeling_other_norms`. */
  readonly rmsNorm?: { readonly module: string; readonly name: string };
  /** The Python module with its classes, which is copied beside its models; absent for a family of transformers. */
  readonly source?: string;
}

/** What a section has beside the architecture: how the model is built. */
export const builtFields = { norm: true, dtype: true, from: true } as const;

/** The rule that heads take equal shares of the width. */
export const equalHeads: SizeRule<{ n_embd: number; n_head: number }> = {
  field: "n_embd",
  reads: ["n_head"],
  problem: ({ n_embd, n_head }) =>
    n_embd % n_head === 0 ? undefined : `${n_embd} is not divisible by model.n_head = ${n_head}: each head takes an equal share`,
};

export const dtypeSchema = z
  .enum(["bfloat16", "float32", "float32-master"])
  .describe("`bfloat16` or `float32` weights throughout; `float32-master` steps float32 weights and computes and records with their bfloat16 roundings.");

/** The norms of a family that has none of GPT-2's: its own, or one of the two in its place. */
export const normSchema = z
  .enum(["native", "rmsnorm", "layernorm"])
  .default("native")
  .describe(
    "`native` keeps the family's own norms; `rmsnorm` puts an RMSNorm without bias, `layernorm` a LayerNorm with bias in the place of each, with its epsilon.",
  );

/** Rows of the embedding, which every family has. */
export const vocabularySchema = z
  .int()
  .min(2)
  .default(128)
  .describe(
    "Rows of the embedding. Without a tokenizer tokens are bytes: with 256 rows or more those of UTF-8, with fewer those of ASCII, and bytes at or above it are dropped.",
  );

/** What every family's section has: how its model is built. `type` and `norm` differ by family. */
export const ownModelShape = {
  dtype: dtypeSchema.default("bfloat16"),
  from: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A saved model to start from: a directory in HF layout, or of a GPT-2 also a file with its weights (.pt, .bin, .safetensors, .npz). Its architecture replaces the fields below; set n_head where a file of weights alone does not tell it. A relative path in a config file starts at that file.",
    ),
};

/** Keys of `model` that are the product's own and not arguments of a configuration of transformers. */
export const ownModelFields = ["type", "norm", "dtype", "from"] as const;
export type OwnModelField = (typeof ownModelFields)[number];
