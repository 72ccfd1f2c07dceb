import { familyOf } from "../../config/models/families.js";
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
 * The parameters of the model that a configuration describes, each with its effective weight decay; none where those of its family are not known here.
 *
 * HF's Trainer exempts biases and the weights of nn.LayerNorm, and decays all else: the weights of an RMSNorm too, which it does not know. `decay_norms`
 * treats both norms alike, or every parameter.
 */
export function effectiveParameters({ model, training }: RunConfig): EffectiveParameter[] {
  const { decay_norms, weight_decay } = training;
  const decaysNorms = decay_norms === "always" || decay_norms === "all" || (decay_norms === "hf" && model.norm === "rmsnorm");
  const decays = { weight: true, bias: decay_norms === "all", "norm-weight": decaysNorms, "norm-bias": decay_norms === "all" } as const;
  return (familyOf(model)?.parameters?.(model) ?? []).map(({ name, size, kind }) => ({
    name,
    size,
    weightDecay: decays[kind] ? weight_decay : 0,
    isNorm: kind === "norm-weight" || kind === "norm-bias",
  }));
}
