import { resolve } from "node:path";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { type AnalyzeOptions, analyze as analyzeHistory } from "../analysis/analyze.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { embeddingHistory, type History, readState, stepOfState } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import type { TrainEvent } from "../protocol/events.js";
import { lockHolders } from "../python/lock-holders.js";
import { openHistory } from "../runs/open-history.js";
import { readEvents } from "../runs/read-events.js";
import { recordedRun } from "../runs/recorded-run.js";
import { readRunConfig } from "../runs/run-config.js";
import { type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import type { ModelAtOptions, ModelAtStep } from "./model-at.js";
import { summarizeRun } from "./summarize-run.js";
import type { TrainResult } from "./train-result.js";

/** The embedding after a step. */
export interface RecordedState {
  /** Number of optimizer steps; 0 is the initial state. */
  step: number;
  /** `[tokens, hidden]`; all tokens, or the rows that `record.rows` chose. */
  matrix: Matrix;
}

/** A run on disk, finished or running. No file is held open. */
export interface Run {
  /** Absolute path of its directory. */
  readonly directory: string;
  /** Content of `run.json`: status, environment, corpus. */
  readonly manifest: RunManifest;
  /** The complete configuration. */
  readonly config: RunConfig;
  /**
   * The recorded states in order, one in memory at a time.
   * @param tensor one of `record.tensors` (default: the embedding).
   * @throws {BhBridgeError} `TENSOR_NOT_FOUND`, `FORMAT_INVALID`.
   */
  history(tensor?: string): AsyncGenerator<RecordedState>;
  /** All events in order. @throws {BhBridgeError} `RUN_CORRUPT` naming the line. */
  events(): AsyncGenerator<TrainEvent>;
  /** Loss table, census, displacement and verdict, computed from the present files. @throws {BhBridgeError} as `history` and `events`; `ABORTED`. */
  result(options?: ScanOptions): Promise<TrainResult>;
  /**
   * The complete model after any step up to the last recorded one: a saved model, else trained again from the checkpoint before it, or from the start, with every
   * recorded bit on the way compared. The run is only read. Dispose of the model to remove its temporary files.
   * @throws {BhBridgeError} `USAGE` for a step that the run does not have; `RESUME_DIVERGED` with the first difference; `RUN_CORRUPT`, and as `train`.
   */
  modelAt(step: number, options?: ModelAtOptions): Promise<ModelAtStep>;
}

/** Open a run directory. No Python is required. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED` for a run of a newer version. */
export async function openRun(path: string): Promise<Run> {
  const directory = resolve(path);
  const manifest = readRunManifest(directory);
  const config = readRunConfig(directory);
  const run = { directory, manifest, config };
  return {
    ...run,
    history: (tensor = "wte") => recordedStates(directory, tensor),
    async *events() {
      yield* readEvents(directory);
    },
    async result(options) {
      const present = readRunManifest(directory);
      const isRunning = present.status === "running" && (await lockHolders([directory])).has(directory);
      return summarizeRun(directory, config, present, { ...options, isRunning });
    },
    async modelAt(step, options) {
      const { modelAt } = await import("./model-at.js"); // it loads everything that trains
      return modelAt(run, step, options);
    },
  };
}

async function* recordedStates(directory: string, tensor: string): AsyncGenerator<RecordedState> {
  const history = await openHistory(directory, tensor === "wte" ? embeddingHistory : tensor);
  try {
    for (let index = 0; index < history.states; index++) {
      yield { step: stepOfState(history, index), matrix: readState(history, index) };
    }
  } finally {
    history.close();
  }
}

/**
 * Analyse a history, as `analyze --json` prints it. The history is read once for all analyses, and some of its states a second time.
 * @param target an open history, which stays open; or the path of a run or of a file with a history. For a run, its other recorded tensors are analysed too.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `USAGE` for an unknown analysis, and if `k` is not a whole number; `ABORTED`; as
 *   `openHistory`.
 */
export async function analyze(target: History | string, options: AnalyzeOptions = {}): Promise<AnalysisDocument> {
  if (typeof target !== "string") return analyzeHistory(target, options);
  const history = await openHistory(target);
  try {
    return await analyzeHistory(history, { run: recordedRun(target), ...options });
  } finally {
    history.close();
  }
}
