import type { RunConfig } from "../run-config-fields.js";
import { familyOf, type ModelConfig } from "./families.js";

/** The names of one size in the configurations of families, the most usual first. */
const namesOf = {
  width: ["hidden_size", "n_embd", "d_model", "dim"],
  layers: ["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  positions: ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"],
} as const;

/** A size of a model by what it is; undefined where the configuration leaves it to transformers' default, or calls it otherwise. */
export function modelSize(model: ModelConfig, size: keyof typeof namesOf): number | undefined {
  const fields: Readonly<Record<string, unknown>> = model;
  const found = namesOf[size].map((name) => fields[name]).find((value) => value !== undefined);
  return typeof found === "number" ? found : undefined;
}

/** Tokens of a training window: `data.window_length`, else as many as the model has positions. */
export function windowLength({ data, model }: Pick<RunConfig, "data" | "model">): number {
  return data.window_length ?? modelSize(model, "positions") ?? 0; // 0 is refused by a rule between fields
}

/** A model in words: `GPT-2 with RMSNorm`. */
export function modelInWords(model: ModelConfig): string {
  const norms = { rmsnorm: " with RMSNorm", layernorm: " with LayerNorm", native: "" };
  return `${familyOf(model)?.title ?? model.type}${norms[model.norm]}`;
}
