import type { ExperimentInput } from "./experiment-schema.js";

/** A named experiment: what it changes of the defaults, and where it comes from. */
export interface Preset {
  title: string;
  /** One sentence on what it does and what it is for. */
  summary: string;
  /** Experiment of the research programme that it reproduces, or the preset that it derives from. */
  source: string;
  /** What differs from the defaults. */
  input: ExperimentInput;
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
    summary: "Noise of 3e-5 / 10 on every embedding component after each step: does it pull equal rows apart?",
    source: "experiment 11.2b",
    input: { noise: { epsilon: 3e-5 } },
  },
  "snowball-11.2c": {
    title: "Snowball start",
    summary: "Rows start as one N(0, 1) vector plus noise of 1e-5, mostly below what bfloat16 can tell apart.",
    source: "experiment 11.2c",
    input: { init: { kind: "snowball", sigma: 1e-5 } },
  },
  "f32-init-13.4a": {
    title: "Float32 start",
    summary: "Rows start as one unit vector plus noise of 1e-5, added in float32 before rounding, so off the bfloat16 lattice.",
    source: "experiment 13.4a",
    input: { init: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "float32" } },
  },
  crucible: {
    title: "Crucible",
    summary:
      "Constant learning rate, no weight decay, no clipping, causal labels: nothing but the optimizer moves or stops a row; records what a lifecycle needs.",
    source: "the programme's later setting, free of the notebook's confounds",
    input: {
      data: { label_shift: "causal" },
      training: { lr_scheduler_type: "constant", weight_decay: 0, max_grad_norm: 0 },
      record: { tensors: ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] },
    },
  },
  quick: {
    title: "Quick look",
    summary: "The default experiment at 800 steps, enough for all live tokens of the built-in corpus to part: half a minute on two CPU cores.",
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
