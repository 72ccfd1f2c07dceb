import type { ExperimentDefinition } from "./define-experiment.js";

/** A named experiment: what it asks, and what else differs between its arms. */
export interface ExperimentPreset {
  readonly title: string;
  /** The question, in one sentence. */
  readonly asks: string;
  /** What differs between the arms beside what is asked about, or would else explain the answer. */
  readonly confound: string;
  /** The experiment of the research programme that it repeats, or the preset that it derives from. */
  readonly source: string;
  readonly experiment: ExperimentDefinition;
}

const seeds = "42..51";

/** The experiments that ship, in the order in which they are listed. */
export const experimentPresets = {
  "rmsnorm-vs-layernorm": {
    title: "RMSNorm against LayerNorm",
    asks: "From one start for all rows, does RMSNorm part dead tokens that LayerNorm leaves together?",
    confound: "Hugging Face's Trainer decays the weights of an RMSNorm and not those of a LayerNorm, which also has biases.",
    source: "experiment 11.2a with its control, over seeds",
    experiment: { base: "rmsnorm-11.2a", arms: { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} }, seeds },
  },
  "rmsnorm-vs-layernorm-clean": {
    title: "RMSNorm against LayerNorm, decay alike",
    asks: "The same question with no weight decay on either norm, a constant learning rate, labels shifted once and float32 moments: is it the norm itself?",
    confound: "A LayerNorm has biases that an RMSNorm has not, which no setting removes; gradients are clipped at 1 in both arms.",
    source: "rmsnorm-vs-layernorm, without the notebook's confounds",
    experiment: {
      base: {
        preset: "rmsnorm-11.2a",
        data: { label_shift: "causal" },
        training: { decay_norms: "never", lr_scheduler_type: "constant", optimizer_state_dtype: "float32" },
      },
      arms: { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} },
      seeds,
    },
  },
  "jiggle-vs-still": {
    title: "Thermal jiggle against none",
    asks: "With LayerNorm, does noise of 3e-5 / 10 on the embedding after each step pull equal rows apart?",
    confound: "None between the arms; in both the learning rate falls to 0, which freezes what the gradient moves and not what the noise moves.",
    source: "experiment 11.2b with a control, over seeds",
    experiment: { base: "jiggle-11.2b", arms: { still: { noise: { epsilon: 0 } }, jiggle: {} }, seeds },
  },
  "f32-vs-bf16-init": {
    title: "Float32 start against bfloat16 start",
    asks: "Do rows that start as one vector plus noise, added in float32 before rounding, end in other black holes of dead tokens than rows made in bfloat16 alone?",
    confound: "The starts themselves can have different black holes: deadC@0 is the difference before any training.",
    source: "experiment 15.1c",
    experiment: {
      base: { preset: "f32-init-13.4a", training: { max_steps: 2000, per_device_train_batch_size: 64 } },
      arms: { bf16: { init: { kind: "unit-noise", noise_dtype: "bfloat16" } }, f32: {} },
      seeds,
      rules: { decides: ["deadC"] },
      measures: ["deadC@0", "deadC@1000", "deadC@2000"],
    },
  },
} as const satisfies Record<string, ExperimentPreset>;

export type ExperimentPresetName = keyof typeof experimentPresets;

/** The names of the experiments that ship, in the order in which they are listed. */
export const experimentPresetNames = Object.keys(experimentPresets) as ExperimentPresetName[];

/** True for the name of an experiment that ships. */
export function isExperimentPresetName(name: string): name is ExperimentPresetName {
  return Object.hasOwn(experimentPresets, name);
}
