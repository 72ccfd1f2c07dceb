import { batchedRuns } from "../config/engine-schema.js";
import { matchingTokens } from "../config/matching-tokens.js";
import { windowLength } from "../config/models/model-sizes.js";
import type { RecordRows } from "../config/record-schema.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { trainingSeeds } from "../config/stream-seeds.js";
import { tokenizerText } from "../formats/tokenizer-text.js";
import type { RequestOf } from "../protocol/operations.js";

type CreateRequest = RequestOf<"trainer.create">;

/** What a request has beside the configuration's own fields. */
interface RequestContext
  extends Pick<CreateRequest, "model" | "run_directory" | "device" | "events" | "deciders" | "resume" | "start_from" | "until" | "trace"> {
  /** Absolute path of the corpus, or of each of its files with its windows. */
  corpus: CreateRequest["data"]["corpus"];
  /** Absolute path of the tokenizer, its own or the one that was trained; null where tokens are bytes. */
  tokenizer: string | null;
}

/** A pattern of rows as the list that it means: only here it is known how tokens are written. */
function rowsOf(rows: RecordRows, vocabulary: number, tokenizer: string | null): RecordRows {
  if (typeof rows !== "string" || !rows.startsWith("/")) return rows;
  return tokenizer === null ? matchingTokens(rows, vocabulary) : matchingTokens(rows, vocabulary, tokenizerText(tokenizer));
}

/** The request that builds the trainer of a configuration. */
export function createRequest(config: RunConfig, { corpus, tokenizer, ...context }: RequestContext): CreateRequest {
  const { engine, data, training, model, noise, record, checkpoint } = config;
  const { train_tokenizer: _trained, ...text } = data;
  const seeds = trainingSeeds(config);
  return {
    ...context,
    engine: engine.name,
    processes: engine.processes,
    exact_step: engine.name === "trainer" ? engine.exact : "auto",
    compiled_step: engine.name === "fast" ? engine.compile : "auto",
    graphed_step: engine.graph,
    stack: batchedRuns(config),
    data: { ...text, corpus, tokenizer, window_length: windowLength(config) },
    training: JSON.parse(JSON.stringify(training)), // without the fields that are undefined
    dtype: model.dtype,
    seed: seeds.noise,
    data_seed: seeds.data,
    noise,
    record: { ...record, rows: rowsOf(record.rows, model.vocab_size, tokenizer) },
    checkpoint,
  };
}
