import { isTokenArray } from "../../formats/text/text-files.js";
import { families, familyOf } from "../models/families.js";
import { vocabularyProblem } from "../models/python-model.js";
import { modelSize, type RunConfig } from "../run-config-fields.js";

/** A rule on one or several fields. */
export interface CrossFieldRule {
  /** Field that the message names. */
  path: string;
  /** Other fields that the rule reads. It is not checked if one of them is invalid. */
  reads: readonly string[];
  /** What is wrong and how to fix it; undefined if nothing is. */
  problem(config: RunConfig): string | undefined;
}

/** Rules on the text and its training windows. */
export const dataRules: readonly CrossFieldRule[] = [
  {
    path: "data.corpus",
    reads: [],
    problem: ({ data: { corpus } }) => {
      const paths = Array.isArray(corpus) ? corpus.map(({ path }) => path) : [];
      const twice = paths.find((path, index) => paths.indexOf(path) < index);
      return twice === undefined ? undefined : `names ${twice} twice: name it once, with the sum of the weights`;
    },
  },
  {
    path: "data.train_tokenizer",
    reads: ["data.tokenizer", "data.corpus"],
    problem: ({ data: { corpus, tokenizer, train_tokenizer } }) => {
      const paths = Array.isArray(corpus) ? corpus.map(({ path }) => path) : [corpus ?? ""];
      const ids = paths.find(isTokenArray);
      if (train_tokenizer === null || tokenizer !== null || ids === undefined) return undefined;
      return `cannot be trained on ${ids}, which has token ids: omit it, or name the tokenizer of the ids with data.tokenizer`;
    },
  },
  {
    path: "data.window_length",
    reads: ["model.max_position_embeddings", "model.n_positions"],
    problem: (config) => {
      const positions = modelSize(config.model, "positions");
      const length = config.data.window_length;
      if (length === null)
        return positions === undefined ? "is missing: the model's configuration has no number of positions. Set it, for example to 128" : undefined;
      return positions !== undefined && length > positions ? `must not exceed the model's ${positions} positions, got ${length}` : undefined;
    },
  },
  {
    path: "seeds.data",
    reads: ["training.data_seed"],
    problem: ({ seeds, training }) =>
      seeds.data !== null && typeof training.data_seed === "number" && training.data_seed !== seeds.data
        ? `is ${seeds.data}, but training.data_seed has the same meaning and is ${training.data_seed}: omit training.data_seed`
        : undefined,
  },
];

/** Rules on the sizes of a model, by family. */
export const modelRules: readonly CrossFieldRule[] = [
  { path: "model.vocab_size", reads: ["model.fields"], problem: ({ model }) => vocabularyProblem(model) },
  ...Object.keys(families).flatMap((type) =>
    (familyOf({ type })?.rules ?? []).map(({ field, reads, problem }) => ({
      path: `model.${field}`,
      reads: reads.map((name) => `model.${name}`),
      problem: ({ model }: RunConfig) => (model.type === type ? problem(model) : undefined),
    })),
  ),
];

/** Optimizers that bh-bridge can replace by its own, with moments or a master copy of the weights in float32. */
export const ownStateOptimizers: readonly string[] = ["adamw_torch", "adamw_torch_fused"];

/** Rules on the precision of the optimizer's state. */
export const optimizerRules: readonly CrossFieldRule[] = [
  {
    path: "training.optimizer_state_dtype",
    reads: ["training.optim"],
    problem: ({ training }) =>
      training.optimizer_state_dtype === "float32" && !ownStateOptimizers.includes(training.optim)
        ? `"float32" requires training.optim = ${ownStateOptimizers.join(" or ")}, got ${training.optim}`
        : undefined,
  },
  {
    path: "model.dtype",
    reads: ["training.optim"],
    problem: ({ model, training }) =>
      model.dtype === "float32-master" && !ownStateOptimizers.includes(training.optim)
        ? `"float32-master" requires training.optim = ${ownStateOptimizers.join(" or ")}, got ${training.optim}`
        : undefined,
  },
  {
    path: "noise.epsilon",
    reads: ["model.dtype"],
    problem: ({ noise, model }) =>
      noise.epsilon > 0 && model.dtype === "float32-master"
        ? 'has no effect with model.dtype = "float32-master", which rounds the weights from its own copy: use "bfloat16" or "float32"'
        : undefined,
  },
];
