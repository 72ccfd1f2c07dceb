import { modelSize } from "../models/model-sizes.js";
import type { CrossFieldRule } from "./cross-field-rule.js";

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
