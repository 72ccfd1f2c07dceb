import { z } from "zod";

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
