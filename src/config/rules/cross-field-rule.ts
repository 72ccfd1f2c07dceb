import { families, familyOf } from "../models/families.js";
import { modelSize, type RunConfig } from "../run-config-fields.js";

/** A rule that several fields have to meet together. */
export interface CrossFieldRule {
  /** The field that the message is shown at. */
  path: string;
  /** Further fields that the rule reads: it is not checked where one of them is itself wrong. */
  reads: readonly string[];
  /** What is wrong and how to mend it; undefined when all is well. */
  problem(config: RunConfig): string | undefined;
}

/** Text, windows and their order: what the model and the seeds have to agree with. */
export const dataRules: readonly CrossFieldRule[] = [
  {
    path: "data.corpus",
    reads: [],
    problem: ({ data: { corpus } }) => {
      const paths = Array.isArray(corpus) ? corpus.map(({ path }) => path) : [];
      const twice = paths.find((path, place) => paths.indexOf(path) < place);
      return twice === undefined ? undefined : `names ${twice} twice: name it once, with the sum of the weights`;
    },
  },
  {
    path: "data.window_length",
    reads: ["model.max_position_embeddings", "model.n_positions"],
    problem: (config) => {
      const positions = modelSize(config.model, "positions");
      const length = config.data.window_length;
      if (length === null)
        return positions === undefined ? "is missing: the model's configuration tells no number of positions. Set it, for example to 128" : undefined;
      return positions !== undefined && length > positions
        ? `${length} tokens are more than the model's ${positions} positions: set it to at most ${positions}`
        : undefined;
    },
  },
  {
    path: "seeds.data",
    reads: ["training.data_seed"],
    problem: ({ seeds, training }) =>
      seeds.data !== null && typeof training.data_seed === "number" && training.data_seed !== seeds.data
        ? `is ${seeds.data}, and training.data_seed, which means the same, is ${training.data_seed}: leave the latter out`
        : undefined,
  },
];

/** Sizes of a model that have to fit each other, by its family. */
export const modelRules: readonly CrossFieldRule[] = Object.keys(families).flatMap((type) =>
  (familyOf({ type })?.rules ?? []).map(({ field, reads, problem }) => ({
    path: `model.${field}`,
    reads: reads.map((name) => `model.${name}`),
    problem: ({ model }) => (model.type === type ? problem(model) : undefined),
  })),
);

/** The optimizers in whose place this package's own keeps moments, or a master copy of the weights, in float32. */
export const ownStateOptimizers: readonly string[] = ["adamw_torch", "adamw_torch_fused"];

/** What an optimizer keeps beside the weights, in which precision. */
export const optimizerRules: readonly CrossFieldRule[] = [
  {
    path: "training.optimizer_state_dtype",
    reads: ["training.optim"],
    problem: ({ training }) =>
      training.optimizer_state_dtype === "float32" && !ownStateOptimizers.includes(training.optim)
        ? `"float32" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "model.dtype",
    reads: ["training.optim"],
    problem: ({ model, training }) =>
      model.dtype === "float32-master" && !ownStateOptimizers.includes(training.optim)
        ? `"float32-master" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "noise.epsilon",
    reads: ["model.dtype"],
    problem: ({ noise, model }) =>
      noise.epsilon > 0 && model.dtype === "float32-master"
        ? 'is lost with model.dtype = "float32-master", whose next step rounds the weights from its own copy: use "bfloat16" or "float32"'
        : undefined,
  },
];
