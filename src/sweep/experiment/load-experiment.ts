import { existsSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { z } from "zod";
import { configInvalid, nearestName } from "../../config/config-invalid.js";
import type { Layer } from "../../config/layers.js";
import { readWrittenObject } from "../../config/read-config-file.js";
import type { RunInput } from "../../config/resolve-run-config.js";
import type { RunConfigInput } from "../../config/run-config-schema.js";
import { writtenIssues } from "../grammar/load-sweep.js";
import { seedsOf, seedsSchema, valuesSchema, writtenHead } from "../grammar/sweep-schema.js";
import { measureProblem } from "./measures.js";
import { appliedRules, type Rules, rulesSchema } from "./rules.js";

/** Not a plain number: objects order such keys first, and the first arm is the control. */
const armName = /^(?!\d+$)[\w.+-]{1,60}$/;

const armsSchema = z.record(z.string(), valuesSchema).superRefine((arms, context) => {
  if (Object.keys(arms).length < 2) context.addIssue({ code: "custom", message: "an experiment needs at least two arms; the first is the control" });
  for (const name of Object.keys(arms).filter((each) => !armName.test(each))) {
    context.addIssue({
      code: "custom",
      path: [name],
      message: "the name of an arm must be at most 60 letters, digits and . _ + -, and not only digits",
    });
  }
});

const measure = z.string().superRefine((name, context) => {
  const problem = measureProblem(name);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** The content of an experiment file. */
export const experimentSchema = z.strictObject({
  ...writtenHead("experiment", "run"),
  arms: armsSchema.describe("What each arm sets over the base, by name. The first arm is the control; every other is judged against it."),
  seeds: seedsSchema.optional(),
  rules: rulesSchema.prefault({}).describe("How the experiment is judged. The rules are fixed in advance."),
  measures: z
    .array(measure)
    .default([])
    .describe("Further measures to describe: counts of a recorded step (deadC@1000), numbers of the analysis by path (geometry.pathLength)."),
});

type ExperimentInput = z.input<typeof experimentSchema>;
type ExperimentSpec = z.output<typeof experimentSchema>;

/** Settings of an arm: configuration fields, nested or by dotted path. */
export type Arm = RunConfigInput & { readonly [path: `${string}.${string}`]: unknown };

/** An experiment in a program; base and arms have the types of a configuration. */
export interface ExperimentDefinition extends Omit<ExperimentInput, "base" | "arms"> {
  /** A preset, a configuration file, or the fields themselves. */
  base?: string | RunInput;
  /** Settings of each arm over the base, by name. The first arm is the control. */
  arms: Readonly<Record<string, Arm>>;
}

/** Type an experiment in a TypeScript file: `export default defineExperiment({ … })`. */
export function defineExperiment(experiment: ExperimentDefinition): ExperimentDefinition {
  return experiment;
}

/** A named experiment. */
export interface ExperimentPreset {
  readonly title: string;
  /** The question, in one sentence. */
  readonly asks: string;
  /** Other differences between the arms, or other explanations of the result. */
  readonly confound: string;
  /** The experiment of the notebook series that it repeats, or the preset it derives from. */
  readonly source: string;
  readonly experiment: ExperimentDefinition;
}

const seeds = "42..51";

/** The shipped experiments, in listing order. */
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

/** Name of a named experiment. */
export type ExperimentPresetName = keyof typeof experimentPresets;

/** Names of the named experiments. */
export const experimentPresetNames = Object.keys(experimentPresets) as ExperimentPresetName[];

/** An experiment as read: validated, with base and arms as written. */
export interface LoadedExperiment extends Omit<ExperimentSpec, "name" | "rules" | "seeds" | "$schema"> {
  readonly name: string;
  /** Absent if the seed is the base's. */
  readonly seeds?: readonly number[];
  /** Number of seeds to plan: the list is cut, or continued after its last seed. */
  readonly maxSeeds?: number;
  /** Complete. */
  readonly rules: Rules;
  /** Where relative paths start. */
  readonly directory: string;
  /** Source of a path of the experiment: `norms.yaml:3:5`. */
  sourceOf(path: string): string;
}

/** Default maximum of seeds for an experiment that stops when it is decided. */
export const defaultMaxSeeds = 40;

/** The seeds to plan. @param seed of the base. */
export function plannedSeeds({ seeds, maxSeeds, rules }: Pick<LoadedExperiment, "seeds" | "maxSeeds" | "rules">, seed: number): number[] {
  const listed = seeds ?? [seed];
  const wanted = maxSeeds ?? (rules.sequential && seeds === undefined ? defaultMaxSeeds : listed.length);
  const planned = listed.slice(0, wanted);
  for (let next = (listed.at(-1) ?? seed) + 1; planned.length < wanted; next++) if (!listed.includes(next)) planned.push(next);
  return planned;
}

/**
 * Read an experiment.
 * @param from the name of a shipped experiment, a JSON, YAML, TypeScript or JavaScript file, or a definition.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export async function loadExperiment(from: string | ExperimentDefinition, cwd: string = process.cwd()): Promise<LoadedExperiment> {
  const { values, sourceOf, directory, name } = await written(from, cwd);
  const parsed = experimentSchema.safeParse(values);
  if (!parsed.success) throw configInvalid(writtenIssues(parsed.error, values, Object.keys(experimentSchema.shape), sourceOf), parsed.error);
  const { $schema: _, rules, seeds, ...spec } = parsed.data;
  return { ...spec, name: spec.name ?? name, ...(seeds !== undefined && { seeds: seedsOf(seeds) }), rules: appliedRules(rules), directory, sourceOf };
}

async function written(from: string | ExperimentDefinition, cwd: string): Promise<Layer & { directory: string; name: string }> {
  if (typeof from !== "string") return { values: { ...from }, sourceOf: () => "input", directory: cwd, name: "experiment" };
  const preset = experimentPresetNames.find((each) => each === from);
  if (preset) return { values: { ...experimentPresets[preset].experiment }, sourceOf: () => `preset ${from}`, directory: cwd, name: from };
  if (!existsSync(resolve(cwd, from)) && extname(from) === "") {
    const near = nearestName(from, experimentPresetNames);
    const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
    const message = `there is no experiment or file ${JSON.stringify(from)}: ${meant}the experiments are ${experimentPresetNames.join(", ")}`;
    throw configInvalid([{ path: "experiment", message }]);
  }
  const { file, values, sourceOf } = await readWrittenObject(from, cwd, { what: "an experiment", definedBy: "defineExperiment" });
  return { values, sourceOf, directory: dirname(file), name: basename(file, extname(file)) };
}
