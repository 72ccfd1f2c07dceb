import type { RunConfig } from "../../config/run-config-schema.js";

/** One parameter of the model, and how strongly AdamW pulls it to 0. */
export interface EffectiveParameter {
  /** Its name in PyTorch. */
  readonly name: string;
  /** Numbers in it. */
  readonly size: number;
  readonly weightDecay: number;
  /** Whether it is the weight or bias of a norm. */
  readonly isNorm: boolean;
}

/**
 * The parameters of the GPT-2 that a configuration describes, each with its effective weight decay.
 *
 * HF's Trainer exempts biases and the weights of nn.LayerNorm, and decays all else: the weights of an RMSNorm too, which it does not know. `decay_norms`
 * treats both norms alike, or every parameter. An RMSNorm has no bias.
 */
export function effectiveParameters({ model, training }: RunConfig): EffectiveParameter[] {
  const { decay_norms, weight_decay } = training;
  const biasDecay = decay_norms === "all" ? weight_decay : 0;
  const decaysNorms = decay_norms === "always" || decay_norms === "all" || (decay_norms === "hf" && model.norm === "rmsnorm");
  const weight = (name: string, size: number) => ({ name: `${name}.weight`, size, weightDecay: weight_decay, isNorm: false });
  const linear = (name: string, inputs: number, outputs: number) => [
    weight(name, inputs * outputs),
    { name: `${name}.bias`, size: outputs, weightDecay: biasDecay, isNorm: false },
  ];
  if (model.type !== "gpt2") return [];
  const { n_embd: width, n_inner, n_layer, vocab_size, n_positions, tie_word_embeddings } = model;
  const inner = n_inner ?? 4 * width;
  const norm = (name: string) => [
    { name: `${name}.weight`, size: width, weightDecay: decaysNorms ? weight_decay : 0, isNorm: true },
    ...(model.norm === "layernorm" ? [{ name: `${name}.bias`, size: width, weightDecay: biasDecay, isNorm: true }] : []),
  ];
  const block = (name: string) => [
    ...norm(`${name}.ln_1`),
    ...linear(`${name}.attn.c_attn`, width, 3 * width),
    ...linear(`${name}.attn.c_proj`, width, width),
    ...norm(`${name}.ln_2`),
    ...linear(`${name}.mlp.c_fc`, width, inner),
    ...linear(`${name}.mlp.c_proj`, inner, width),
  ];
  return [
    weight("transformer.wte", vocab_size * width),
    weight("transformer.wpe", n_positions * width),
    ...Array.from({ length: n_layer }, (_, layer) => block(`transformer.h.${layer}`)).flat(),
    ...norm("transformer.ln_f"),
    ...(tie_word_embeddings ? [] : [weight("lm_head", vocab_size * width)]),
  ];
}
