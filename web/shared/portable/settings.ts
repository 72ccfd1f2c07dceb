import type { RetrainedConfig } from "../../../src/report/retraining.js";
import type { Shape } from "./library.js";

/** A tensor of a model, in the order of native/portable.h. */
export interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly decays: boolean;
}

/** The shape of a GPT-2. */
export function shapeOf({ model }: RetrainedConfig): Shape {
  const { n_embd: hidden, n_head: heads, n_layer: layers } = model;
  return {
    vocabulary: model.vocab_size,
    positions: model.n_positions,
    hidden,
    layers,
    heads,
    kvHeads: heads,
    headSize: hidden / heads,
    inner: model.n_inner ?? 4 * hidden,
    norm: model.norm === "rmsnorm" ? 0 : 1,
    mlp: 0,
    rope: 0,
    headNorm: 0,
    attentionBias: 1,
    mlpBias: 1,
    outFirst: 0,
    tied: model.tie_word_embeddings ? 1 : 0,
    epsilon: model.layer_norm_epsilon,
    ropeTheta: 0,
  };
}

/** The factor of the attention scores of each layer. */
export function scalesOf({ model }: RetrainedConfig): number[] {
  const width = model.n_embd / model.n_head;
  return Array.from({ length: model.n_layer }, (_, layer) => {
    const scale = model.scale_attn_weights ? 1 / Math.sqrt(width) : 1;
    return model.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
  });
}

/** The tensors of a GPT-2 and their weight decay: as `decaying_names` in python/bh_bridge/engines/training_arguments.py. */
export function tensorsOf(config: RetrainedConfig): TensorPlan[] {
  const { model, training } = config;
  const { hidden, layers, inner, vocabulary, positions, norm, tied } = shapeOf(config);
  const isDecayed = training.weight_decay > 0;
  const all = training.decay_norms === "all";
  const weight = (name: string, ...shape: number[]): TensorPlan => ({ name, shape, decays: isDecayed });
  const bias = (name: string, size: number): TensorPlan => ({ name, shape: [size], decays: isDecayed && all });
  const normDecays = all || training.decay_norms === "always" || (training.decay_norms === "hf" && model.norm === "rmsnorm");
  const normOf = (name: string): TensorPlan[] => [
    { name: `${name}.weight`, shape: [hidden], decays: isDecayed && normDecays },
    ...(norm === 1 ? [bias(`${name}.bias`, hidden)] : []),
  ];
  const linear = (name: string, inputs: number, outputs: number) => [weight(`${name}.weight`, inputs, outputs), bias(`${name}.bias`, outputs)];
  return [
    weight("wte", vocabulary, hidden),
    weight("wpe", positions, hidden),
    ...Array.from({ length: layers }, (_, layer) => [
      ...normOf(`${layer}.ln_1`),
      ...linear(`${layer}.attn.c_attn`, hidden, 3 * hidden),
      ...linear(`${layer}.attn.c_proj`, hidden, hidden),
      ...normOf(`${layer}.ln_2`),
      ...linear(`${layer}.mlp.c_fc`, hidden, inner),
      ...linear(`${layer}.mlp.c_proj`, inner, hidden),
    ]).flat(),
    ...normOf("ln_f"),
    ...(tied === 1 ? [] : [weight("lm_head", vocabulary, hidden)]),
  ];
}

/** The learning rate of a step, counted from 1: the schedules of transformers. */
export function learningRateOf({ training }: RetrainedConfig, step: number): number {
  const { learning_rate: peak, lr_scheduler_type: kind, max_steps: steps } = training;
  const warmup = training.warmup_steps < 1 ? Math.ceil(steps * training.warmup_steps) : training.warmup_steps;
  const made = step - 1;
  if (kind === "constant") return peak;
  if (made < warmup) return peak * (made / Math.max(1, warmup));
  if (kind === "constant_with_warmup") return peak;
  if (kind === "inverse_sqrt") {
    const timescale = warmup || 10_000;
    return peak * (1 / Math.sqrt((made + timescale - warmup) / timescale));
  }
  return peak * Math.max(0, (steps - made) / Math.max(1, steps - warmup));
}
