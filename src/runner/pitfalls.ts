import { isDeepStrictEqual } from "node:util";
import type { RunConfig } from "../config/run-config-schema.js";

/** A pitfall of a configuration, and the setting that corrects it. */
export interface Pitfall {
  what: string;
  corrected: string;
}

/** The notebook's implicit choices that this run shares, and an engine that differs from the notebook's. */
export function pitfallsOf({ data, engine, model, training }: RunConfig): Pitfall[] {
  const isBfloat16 = model.dtype === "bfloat16";
  const pitfalls: [applies: boolean, what: string, corrected: string][] = [
    [data.label_shift === "double", "labels are shifted twice: position t learns token t+2", "data.label_shift=causal"],
    [
      model.norm === "rmsnorm" && training.decay_norms === "hf" && training.weight_decay > 0,
      "RMSNorm's weights decay, LayerNorm's do not: a confound",
      "training.decay_norms=never",
    ],
    [training.lr_scheduler_type === "linear", "the learning rate falls to 0, which freezes rows", "training.lr_scheduler_type=constant"],
    [training.max_grad_norm > 0, `gradients are clipped at ${training.max_grad_norm}`, "training.max_grad_norm=0"],
    [
      isBfloat16 && training.optimizer_state_dtype === "model",
      "Adam's moments are bfloat16: the second can only grow",
      "training.optimizer_state_dtype=float32",
    ],
    [engine.name === "fast", "engine fast has bits of its own: early C and P of live tokens are not those of the reference", "engine=trainer"],
  ];
  return pitfalls.filter(([applies]) => applies).map(([, what, corrected]) => ({ what, corrected }));
}

/** The pitfalls that all configurations share. */
export function sharedPitfalls([first, ...others]: readonly RunConfig[]): Pitfall[] {
  if (first === undefined) return [];
  return pitfallsOf(first).filter((pitfall) => others.every((config) => pitfallsOf(config).some((other) => isDeepStrictEqual(pitfall, other))));
}
