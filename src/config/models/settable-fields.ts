import type { z } from "zod";
import { productOwnedModelConfig } from "../product-owned-arguments.js";

/** What transformers' configurations of several families call alike, in words. */
const notes: Readonly<Record<string, string>> = {
  hidden_act: "Activation of the feed-forward layers, by transformers' name.",
  initializer_range: "Standard deviation of the model's own initialisation.",
  rms_norm_eps: "Epsilon of every normalisation.",
  rope_parameters: "How positions are rotated: `rope_type`, `rope_theta`, and what the type takes.",
  attention_bias: "Give the projections of attention a bias.",
  attention_dropout: "Dropout on the attention weights.",
  mlp_bias: "Give the feed-forward layers a bias.",
  pretraining_tp: "Read by older versions of transformers alone.",
  use_sliding_window: "Let the upper blocks see the last sliding_window tokens alone.",
  sliding_window: "Tokens that a block with a sliding window sees.",
  max_window_layers: "Blocks without a sliding window, where there is one.",
  layer_types: "Kind of attention of each block: `full_attention` or `sliding_attention`.",
};

type Settable<Shape> = Omit<Shape, keyof typeof productOwnedModelConfig | "dtype">;

/** The fields of a generated shape that a run can set, each with its note. */
export function settableFields<Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape): Settable<Shape> {
  const settable = Object.entries(shape).filter(([name]) => name !== "dtype" && !Object.hasOwn(productOwnedModelConfig, name));
  return Object.fromEntries(settable.map(([name, field]) => [name, field.describe(`${notes[name]} Left out: transformers' default.`)])) as Settable<Shape>;
}
