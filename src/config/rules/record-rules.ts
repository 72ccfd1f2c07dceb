import { processesOf } from "../engine-schema.js";
import { expressionOf, matchingTokens, mostByteTokens, tensorsOfForwardPass } from "../record-schema.js";
import { type CrossFieldRule, ownStateOptimizers } from "./cross-field-rule.js";

const optimizersWithoutMoments: readonly string[] = ["sgd", "adagrad", "rmsprop", "adafactor"];

/** Rules on recorded tensors and rows. */
export const recordRules: readonly CrossFieldRule[] = [
  {
    path: "record.tensors",
    reads: [],
    problem: ({ record }) => (record.tensors.includes("wte") ? undefined : 'must contain "wte", which the census and the verdict require'),
  },
  {
    path: "record.tensors",
    reads: [],
    problem: ({ record }) => (new Set(record.tensors).size === record.tensors.length ? undefined : "names a tensor twice"),
  },
  {
    path: "record.tensors",
    reads: ["training.optim"],
    problem: ({ record, training }) =>
      record.tensors.some((tensor) => /\.exp_avg(_sq)?$/.test(tensor)) && optimizersWithoutMoments.includes(training.optim)
        ? `training.optim = ${training.optim} does not have Adam's moments: name its own state, or use ${ownStateOptimizers.join(" or ")}`
        : undefined,
  },
  {
    path: "record.tensors",
    reads: ["model.dtype"],
    problem: ({ record, model }) =>
      record.tensors.some((tensor) => tensor.endsWith(".master")) && model.dtype !== "float32-master"
        ? `a master copy of the weights requires model.dtype = "float32-master", got "${model.dtype}"`
        : undefined,
  },
  {
    path: "record.tensors",
    reads: ["engine.name", "engine.processes"],
    problem: ({ record, engine }) => {
      const unseen = record.tensors.filter((tensor) => tensorsOfForwardPass.includes(tensor));
      const processes = processesOf({ engine });
      if (processes > 1 && unseen.length > 0)
        return `each of ${processes} processes computes only its part of ${unseen.join(", ")}: use engine.processes=1, or omit it`;
      return engine.name !== "trainer" && unseen.length > 0
        ? `engine ${engine.name} does not compute ${unseen.join(", ")}: use engine=trainer, or omit it`
        : undefined;
    },
  },
  {
    path: "record.schedules",
    reads: ["record.tensors"],
    problem: ({ record }) => {
      const unknown = Object.keys(record.schedules ?? {}).filter((tensor) => !record.tensors.some((name) => name === tensor));
      return unknown.length > 0 ? `${unknown.join(", ")} is not recorded: name it in record.tensors too` : undefined;
    },
  },
  {
    path: "record.rows",
    reads: ["model.vocab_size", "data.tokenizer", "data.train_tokenizer"],
    problem: ({ record, model, data }) =>
      typeof record.rows === "string" && record.rows.startsWith("/")
        ? patternProblem(record.rows, model.vocab_size, data.tokenizer ?? data.train_tokenizer)
        : undefined,
  },
  {
    path: "record.rows",
    reads: ["model.vocab_size"],
    problem: ({ record, model }) => {
      if (!Array.isArray(record.rows)) return undefined;
      const outside = record.rows.filter((row) => row >= model.vocab_size);
      return outside.length === 0
        ? undefined
        : `rows must be between 0 and ${model.vocab_size - 1} (model.vocab_size is ${model.vocab_size}), got ${outside.join(", ")}`;
    },
  },
  {
    path: "record.rows",
    reads: [],
    problem: ({ record }) => (Array.isArray(record.rows) && new Set(record.rows).size !== record.rows.length ? "names a row twice" : undefined),
  },
];

function patternProblem(pattern: string, vocabulary: number, tokenizer: string | null): string | undefined {
  if (vocabulary > mostByteTokens && tokenizer === null) {
    return `a pattern matches the text of tokens, which is unknown for ${vocabulary} tokens: list their ids, or set data.tokenizer`;
  }
  try {
    if (tokenizer !== null) return expressionOf(pattern) && undefined; // matched when the tokenizer is read
    return matchingTokens(pattern, vocabulary).length > 0 ? undefined : `${pattern} matches no token`;
  } catch (error) {
    return `${pattern} is not a regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
