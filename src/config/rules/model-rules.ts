import type { RunConfig } from "../run-config-fields.js";
import type { CrossFieldRule } from "./cross-field-rule.js";

/** Sizes of a model that have to fit each other. */
export const modelRules: readonly CrossFieldRule[] = [
  {
    path: "model.head_dim",
    reads: [],
    problem: ({ model }) =>
      (model.type === "llama" || model.type === "qwen3") && model.head_dim % 2 === 1
        ? `is ${model.head_dim}, and positions are rotations of pairs: set an even width`
        : undefined,
  },
  {
    path: "model.num_key_value_heads",
    reads: ["model.num_attention_heads"],
    problem: ({ model }) => groupsProblem(model),
  },
  {
    path: "model.n_embd",
    reads: ["model.n_head"],
    problem: ({ model }) =>
      (model.type !== "gpt2" && model.type !== "tinylm") || model.n_embd % model.n_head === 0
        ? undefined
        : `${model.n_embd} is not divisible by model.n_head = ${model.n_head}: each head takes an equal share`,
  },
];

/** What keeps a Llama or Qwen3 from having its heads. */
function groupsProblem(model: RunConfig["model"]): string | undefined {
  if (model.type !== "llama" && model.type !== "qwen3") return undefined;
  const { num_attention_heads: heads, num_key_value_heads: groups } = model;
  return heads % groups === 0
    ? undefined
    : `${groups} does not divide model.num_attention_heads = ${heads}: as many queries share each head of keys and values`;
}
