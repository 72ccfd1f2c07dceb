import type { RetrainedConfig } from "../../../src/report/retraining.js";

/** The settings that a reader of the page Try it can choose. */
export interface TriedSettings {
  readonly norm: "rmsnorm" | "layernorm";
  readonly init: "singular" | "snowball" | "unit-noise" | "normal";
  readonly learningRate: number;
  readonly seed: number;
  readonly steps: number;
}

export const usualSettings: TriedSettings = { norm: "rmsnorm", init: "singular", learningRate: 1e-3, seed: 42, steps: 300 };

/** Standard deviation of the noise of an initial state. */
const sigma = 1e-5;

/** Preset rmsnorm-11.2a with these settings. */
export function triedConfig({ norm, init, learningRate, seed, steps }: TriedSettings): RetrainedConfig {
  return {
    seed,
    seeds: { weights: null, init: null, data: null, noise: null },
    init: init === "snowball" ? { kind: init, sigma } : init === "unit-noise" ? { kind: init, sigma, noise_dtype: "float32" } : { kind: init },
    data: { windows: "sliding", label_shift: "double", window_length: null },
    model: {
      norm,
      dtype: "bfloat16",
      vocab_size: 128,
      n_positions: 128,
      n_embd: 64,
      n_layer: 2,
      n_head: 2,
      n_inner: null,
      layer_norm_epsilon: 1e-5,
      initializer_range: 0.02,
      scale_attn_weights: true,
      scale_attn_by_inverse_layer_idx: false,
      tie_word_embeddings: true,
    },
    training: {
      max_steps: steps,
      per_device_train_batch_size: 32,
      gradient_accumulation_steps: 1,
      train_sampling_strategy: "random",
      learning_rate: learningRate,
      lr_scheduler_type: "linear",
      warmup_steps: 0,
      weight_decay: 0.01,
      decay_norms: "hf",
      max_grad_norm: 1,
      adam_beta1: 0.9,
      adam_beta2: 0.999,
      adam_epsilon: 1e-8,
      optimizer_state_dtype: "model",
    },
  };
}

/** The command that trains the same bits, and the one that prints the SHA-256 of its snapshots. */
export function checkingCommands({ norm, init, learningRate, seed, steps }: TriedSettings): string {
  const changes = [
    ...(norm === usualSettings.norm ? [] : [`--set model.norm=${norm}`]),
    ...(init === usualSettings.init ? [] : [`--set init.kind=${init}`]),
    ...(learningRate === usualSettings.learningRate ? [] : [`--set training.learning_rate=${learningRate}`]),
    ...(seed === usualSettings.seed ? [] : [`--seed ${seed}`]),
  ];
  const train = ["bh-bridge train --engine portable", `--steps ${steps}`, ...changes, "--out tried"].join(" ");
  return `${train}\ntail -c +${historyHead + 1} tried/*/history.safetensors | sha256sum`;
}

/** Bytes before the snapshots in the file of a recorded history: its header and the number of steps. */
const historyHead = 4096 + 8;
