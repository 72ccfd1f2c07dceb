import { compilingOf } from "../config/engine-schema.js";
import { matchingTokens } from "../config/matching-tokens.js";
import { windowLength } from "../config/models/model-sizes.js";
import { type RecordSchedule, stepsOfSchedule } from "../config/record-schedule.js";
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

/** How the steps are computed: what depends on the configuration alone is decided here. */
function engineRequest(config: RunConfig): CreateRequest["engine"] {
  const { engine } = config;
  if (engine.name === "trainer") return engine;
  const { name, graph, batched_runs } = engine;
  return { name, compiling: compilingOf(config), graph, batched_runs, processes: 1 };
}

/** What is recorded, with its schedules written out and its rows listed. */
function recordRequest({ record, model, training }: RunConfig, tokenizer: string | null): CreateRequest["record"] {
  const steps = (schedule: RecordSchedule) => (typeof schedule === "string" ? stepsOfSchedule(schedule, training.max_steps) : schedule);
  const { schedules, ...rest } = record;
  const ofTensors = schedules && Object.fromEntries(Object.entries(schedules).map(([tensor, schedule]) => [tensor, steps(schedule)]));
  return { ...rest, every: steps(record.every), ...(ofTensors && { schedules: ofTensors }), rows: rowsOf(record.rows, model.vocab_size, tokenizer) };
}

/** The request that builds the trainer of a configuration. */
export function createRequest(config: RunConfig, { corpus, tokenizer, ...context }: RequestContext): CreateRequest {
  const { data, training, model, noise, checkpoint } = config;
  const { train_tokenizer: _trained, ...text } = data;
  const seeds = trainingSeeds(config);
  return {
    ...context,
    engine: engineRequest(config),
    data: { ...text, corpus, tokenizer, window_length: windowLength(config) },
    training: JSON.parse(JSON.stringify(training)), // without the fields that are undefined
    dtype: model.dtype,
    seed: seeds.noise,
    data_seed: seeds.data,
    noise,
    record: recordRequest(config, tokenizer),
    checkpoint,
  };
}
