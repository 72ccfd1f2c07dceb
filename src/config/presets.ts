import type { RunConfigInput } from "./run-config-schema.js";

/** The embedding, its gradient and both of its moments. */
const whatAdamSees = ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] as const;

/** A named configuration: what it changes of the defaults, and where it comes from. */
export interface Preset {
  title: string;
  /** One sentence on what it does and what it is for. */
  summary: string;
  /** The experiment of the research programme that it reproduces, or the preset that it derives from. */
  source: string;
  /** What differs from the defaults. */
  input: RunConfigInput;
}

/** The presets, in the order in which they are listed; the first one is the default, and its values are the schema's defaults. */
export const presets = {
  "rmsnorm-11.2a": {
    title: "RMSNorm diffusion test",
    summary: "All embedding rows start equal; with RMSNorm, do the dead tokens' rows ever part? 10,000 steps in bfloat16.",
    source: "experiment 11.2a",
    input: {},
  },
  "layernorm-control": {
    title: "LayerNorm control",
    summary: "The same run with GPT-2's own LayerNorm: what the RMSNorm runs are compared with.",
    source: "control of experiment 11.2a",
    input: { model: { norm: "layernorm" } },
  },
  "jiggle-11.2b": {
    title: "Thermal jiggle",
    summary: "With LayerNorm, normal noise times 3e-5 / 10, drawn and scaled in bfloat16, on the embedding after each step: does it pull equal rows apart?",
    source: "experiment 11.2b",
    input: { model: { norm: "layernorm" }, noise: { epsilon: 3e-5 } },
  },
  "snowball-11.2c": {
    title: "Snowball start",
    summary: "With LayerNorm, rows start as one N(0, 1) vector plus noise of 1e-5, mostly below what bfloat16 can tell apart.",
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
    summary: "The float32 start of 13.4a for 10,000 steps; gradient and both Adam moments are recorded as well, but not the mean logits of the original.",
    source: "experiment 15.1a",
    input: { model: { norm: "layernorm" }, init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "float32" }, record: { tensors: [...whatAdamSees] } },
  },
  "bf16-15.1b": {
    title: "Bfloat16 start, all recorded",
    summary: "As f32-15.1a, but the start is made in bfloat16 alone: drawn, normalised, scaled and added. Mean logits, which the original recorded, are not.",
    source: "experiment 15.1b",
    input: { model: { norm: "layernorm" }, init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "bfloat16" }, record: { tensors: [...whatAdamSees] } },
  },
  clean: {
    title: "Free of confounds",
    summary:
      "RMSNorm with a constant learning rate, no weight decay, no clipping, causal labels: nothing but the optimizer moves or stops a row; gradient and moments are recorded too.",
    source: "rmsnorm-11.2a, without the notebook's confounds",
    input: {
      data: { label_shift: "causal" },
      training: { lr_scheduler_type: "constant", weight_decay: 0, max_grad_norm: 0 },
      record: { tensors: [...whatAdamSees] },
    },
  },
  "qwen3-singular": {
    title: "Qwen's own architecture",
    summary:
      "The seed's question of a tiny Qwen3, as transformers builds it: all embedding rows start equal; do the dead tokens' rows ever part? 10,000 steps.",
    source: "rmsnorm-11.2a, with Qwen3 in place of GPT-2",
    input: { model: { type: "qwen3" } },
  },
  "crucible-1": {
    title: "The programme's later model",
    summary:
      "A tiny transformer of torch's own layers on 10,000 character-BPE tokens, drawn as torch draws it: plain AdamW with a constant rate, no decay, no clipping; the dead tokens' rows are recorded for 5,000 steps.",
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
    summary: 'The default run at 800 steps, in which all live tokens of the built-in corpus part but "[", which occurs once: half a minute on two CPU cores.',
    source: "rmsnorm-11.2a, shortened",
    input: { training: { max_steps: 800 } },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

/** The names of the presets, in the order in which they are listed. */
export const presetNames = Object.keys(presets) as PresetName[];

/** What runs when no preset is named. */
export const defaultPreset: PresetName = "rmsnorm-11.2a";

/** True for the name of a preset. */
export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
