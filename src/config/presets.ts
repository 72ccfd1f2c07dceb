import type { RunConfigInput } from "./run-config-schema.js";

/** The embedding, its gradient and both moments. */
const adamTensors = ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] as const;

/** A named configuration. */
export interface Preset {
  title: string;
  /** What it does, in one sentence. */
  summary: string;
  /** Experiment of the notebook series that it reproduces, or preset that it derives from. */
  source: string;
  /** Values that differ from the defaults. */
  input: RunConfigInput;
}

/** The presets in listing order. The first one is the default, and its values are the defaults of the schema. */
export const presets = {
  "rmsnorm-11.2a": {
    title: "RMSNorm diffusion test",
    summary: "All embedding rows start equal: do the rows of dead tokens separate with RMSNorm? 10,000 steps in bfloat16.",
    source: "experiment 11.2a",
    input: {},
  },
  "layernorm-control": {
    title: "LayerNorm control",
    summary: "The same run with GPT-2's own LayerNorm, for comparison with the RMSNorm runs.",
    source: "control of experiment 11.2a",
    input: { model: { norm: "layernorm" } },
  },
  "jiggle-11.2b": {
    title: "Thermal jiggle",
    summary: "With LayerNorm and bfloat16 normal noise times 3e-5 / 10 on the embedding after each step: does noise separate equal rows?",
    source: "experiment 11.2b",
    input: { model: { norm: "layernorm" }, noise: { epsilon: 3e-5 } },
  },
  "snowball-11.2c": {
    title: "Snowball start",
    summary: "With LayerNorm, rows start as one N(0, 1) vector plus noise of 1e-5, mostly below the resolution of bfloat16.",
    source: "experiment 11.2c",
    input: { model: { norm: "layernorm" }, init: { kind: "snowball", sigma: 1e-5 } },
  },
  "f32-init-13.4a": {
    title: "Float32 start",
    summary: "With LayerNorm, rows start as one unit vector plus noise of 1e-5, added in float32 before rounding; 1,000 steps.",
    source: "experiment 13.4a",
    input: { model: { norm: "layernorm" }, init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "float32" }, training: { max_steps: 1000 } },
  },
  "f32-15.1a": {
    title: "Float32 start, all recorded",
    summary: "The float32 start of 13.4a for 10,000 steps. Also records the gradient and both Adam moments, but not the mean logits of the original.",
    source: "experiment 15.1a",
    input: { model: { norm: "layernorm" }, init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "float32" }, record: { tensors: [...adamTensors] } },
  },
  "bf16-15.1b": {
    title: "Bfloat16 start, all recorded",
    summary: "Like f32-15.1a, but the start is drawn, normalised, scaled and added in bfloat16. Does not record the mean logits of the original.",
    source: "experiment 15.1b",
    input: { model: { norm: "layernorm" }, init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "bfloat16" }, record: { tensors: [...adamTensors] } },
  },
  clean: {
    title: "Free of confounds",
    summary:
      "RMSNorm with a constant learning rate, no weight decay, no clipping and causal labels, so that only the optimizer moves a row. Also records gradient and moments.",
    source: "rmsnorm-11.2a, without the notebook's confounds",
    input: {
      data: { label_shift: "causal" },
      training: { lr_scheduler_type: "constant", weight_decay: 0, max_grad_norm: 0 },
      record: { tensors: [...adamTensors] },
    },
  },
  "qwen3-singular": {
    title: "Qwen's own architecture",
    summary: "The default experiment with a tiny Qwen3: all embedding rows start equal, do the rows of dead tokens separate? 10,000 steps.",
    source: "rmsnorm-11.2a, with Qwen3 in place of GPT-2",
    input: { model: { type: "qwen3" } },
  },
  "crucible-1": {
    title: "Later model of the notebook series",
    summary:
      "A tiny transformer of PyTorch layers with their own initialisation on 10,000 character-BPE tokens: AdamW with a constant rate, no decay, no clipping. Records the rows of dead tokens for 5,000 steps.",
    source: "experiment Crucible 1",
    input: {
      data: { train_tokenizer: "char-bpe", windows: "chunks", label_shift: "causal" },
      model: { type: "tinylm", vocab_size: 10_000 },
      init: { kind: "normal" },
      training: {
        max_steps: 5000,
        per_device_train_batch_size: 128,
        lr_scheduler_type: "constant",
        weight_decay: 0,
        decay_norms: "all",
        max_grad_norm: 0,
        optim: "adamw_torch",
        dataloader_drop_last: true,
      },
      record: { rows: "dead" },
    },
  },
  quick: {
    title: "Quick look",
    summary: 'The default run with 800 steps, half a minute on two CPU cores. All live tokens of the built-in corpus separate except "[", which occurs once.',
    source: "rmsnorm-11.2a, shortened",
    input: { training: { max_steps: 800 } },
  },
} as const satisfies Record<string, Preset>;

/** Name of a preset. */
export type PresetName = keyof typeof presets;

/** Names of the presets in listing order. */
export const presetNames = Object.keys(presets) as PresetName[];

/** The preset of a run without one. */
export const defaultPreset: PresetName = "rmsnorm-11.2a";

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
