import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Bridge } from "../bridge/bridge.js";
import { isCoalescible, maxWaitingEvents } from "../bridge/callback-dispatcher.js";
import { corpusOf, type ReadCorpus } from "../bridge/corpus.js";
import { EventStreams } from "../bridge/event-streams.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import type { CallOptions, ModelPlan } from "../bridge/model.js";
import { requireGpu } from "../bridge/prepared-run.js";
import { requireCorpusMemory } from "../bridge/require-memory.js";
import type { StartedRun } from "../bridge/run-record.js";
import type { Trainer } from "../bridge/trainer.js";
import type { TrainerCallback } from "../bridge/trainer-callback.js";
import type { TrainerSetup, TrainOutcome } from "../bridge/trainer-options.js";
import { processesOf } from "../config/engine-schema.js";
import type { ResolvedConfig, RunInput } from "../config/resolve-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import type { TrainEvent } from "../protocol/events.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { runsFolder } from "../runs/run-layout.js";
import { concludeRun } from "./summarize-run.js";
import type { TrainResult } from "./train-result.js";

/** A running training. Await it for its result, or iterate over it to follow its events. */
export type FollowedTraining<Result> = Promise<Result> & AsyncIterable<TrainEvent>;

/**
 * Make the events of a training iterable. A slow reader misses step events, as with `trainer.events()`.
 * @param conduct runs the training and passes every event to its argument. Its error rejects the promise and ends every loop over the events.
 */
export function followTraining<Result>(conduct: (tell: (event: TrainEvent) => void) => Promise<Result>): FollowedTraining<Result> {
  const streams = new EventStreams<TrainEvent>({ maxWaiting: maxWaitingEvents, isDroppable: isCoalescible });
  const result = conduct((event) => streams.push(event));
  const close = () => streams.close();
  async function* events(): AsyncGenerator<TrainEvent, void> {
    result.then(close, close);
    yield* streams.open();
    await result;
  }
  return Object.assign(result, { [Symbol.asyncIterator]: events });
}

/** Options of `train`. */
export interface TrainOptions {
  /** Ends the training after its current step, with a checkpoint to resume from. */
  signal?: AbortSignal | undefined;
  /** Observers and deciders, called in this order. */
  callbacks?: readonly TrainerCallback[];
  /** Folder of the runs (default: `runs`). */
  out?: string;
  /**
   * Checkpoint directory of HF's Trainer, to start from its optimizer, schedule and random streams. It must equal the configuration's `model.from`. Fields that
   * the configuration omits come from its training_args.bin.
   */
  startFrom?: string;
}

/** Listeners of the program during a run. */
export interface TrainListener {
  /** Called before the run exists, with the present phase. */
  onPhase?(phase: string): void;
  onStart?(run: StartedRun, trainer: Pick<Trainer, "requestCheckpoint">): void;
  onEvent?(event: TrainEvent): void;
  /** Called after training, with the number of analysed states. */
  onAnalysis?(done: number, states: number): void;
}

/** A finished run. */
export interface TrainedRun {
  /** Absolute path of its directory. */
  directory: string;
  outcome: TrainOutcome;
  result: TrainResult;
}

/**
 * One complete run: model, training, recording, analysis. Iterate over the result to follow its events.
 * @param input any part of a configuration, and its preset (default: the notebook's).
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `USAGE` if `startFrom` is not `model.from`, and as `Bridge.start` and
 *   `Trainer.train`.
 */
export function train(input: RunInput = {}, options: TrainOptions = {}): FollowedTraining<TrainedRun> {
  return followTraining(async (tell) => {
    const resolved = await loadRunConfig({ input, resumeState: options.startFrom !== undefined });
    if (options.startFrom !== undefined) requireSameStart(options.startFrom, resolved.config.model.from);
    const python = await resolvePython({ ...(resolved.config.python && { config: resolved.config.python }) }, options.signal);
    return trainResolved(resolved, python, options, { onEvent: tell });
  });
}

/** Train a complete configuration with an interpreter of `resolvePython`. */
export async function trainResolved(resolved: ResolvedConfig, python: UsablePython, options: TrainOptions, listener: TrainListener = {}): Promise<TrainedRun> {
  return trainAndConclude({ ...newTraining(resolved), python, threads: threadsOf(resolved.config) }, options, listener);
}

/** CPU threads per process. By default, each of several processes would use one thread per core. */
function threadsOf({ threads, engine }: Pick<RunConfig, "threads" | "engine">): number | null {
  const processes = processesOf({ engine });
  return threads ?? (processes > 1 ? Math.max(1, Math.floor(availableParallelism() / processes)) : null);
}

/** A training that starts a new run. */
export function newTraining(resolved: ResolvedConfig): TrainingPlan {
  return { resolved, model: resolved.config, prepare: (trainer, cancel) => trainer.prepare(cancel) };
}

/** Weights and optimizer must come from the same checkpoint. */
function requireSameStart(startFrom: string, from: string | null): void {
  if (from !== null && resolve(from) === resolve(startFrom)) return;
  const present = from === null ? "model.from is not set" : `model.from is ${resolve(from)}`;
  throw new BhBridgeError("USAGE", `startFrom is ${resolve(startFrom)}, and ${present}: both have to name the same checkpoint. Set model.from to it`);
}

export interface TrainingPlan extends Pick<TrainerSetup, "until" | "trace" | "repository" | "slot"> {
  resolved: ResolvedConfig;
  model: ModelPlan;
  /** Start a new run, or reopen one. */
  prepare(trainer: Trainer, options: CallOptions): Promise<StartedRun>;
}

interface Conduct extends TrainingPlan {
  python: UsablePython;
  threads: number | null;
}

/** Train, then analyse the run. */
export async function trainAndConclude(conduct: Conduct, options: TrainOptions, listener: TrainListener): Promise<TrainedRun> {
  return concludeTraining(await conductTraining(conduct, options, listener), conduct.resolved, options, listener);
}

interface ConductedTraining {
  run: StartedRun;
  outcome: TrainOutcome;
}

/** Start Python, build the model and train. */
export async function conductTraining({ python, threads, ...training }: Conduct, options: TrainOptions, listener: TrainListener): Promise<ConductedTraining> {
  const { resolved } = training;
  const { signal } = options;
  requireGpu(resolved.config, resolved.config.device);
  listener.onPhase?.("reading the corpus");
  const corpus = await corpusOf(resolved, signal); // before Python starts, so that a wrong path fails at once
  requireCorpusMemory(corpus, resolved.config);
  listener.onPhase?.("importing PyTorch");
  await using bridge = await Bridge.startWith(python, { threads, device: resolved.config.device, ...(signal && { signal }) });
  return await trainIn(bridge, { ...training, corpus }, options, listener); // awaited here: the bridge closes when this function ends
}

/** Build the model and train in a running Python, and release both afterwards. */
export async function trainIn(
  bridge: Bridge,
  { resolved, corpus, model: plan, prepare, until, trace, repository, slot }: TrainingPlan & { corpus: ReadCorpus },
  { signal, callbacks = [], out = runsFolder, startFrom }: TrainOptions,
  listener: TrainListener,
): Promise<ConductedTraining> {
  const cancel = signal ? { signal } : {};
  listener.onPhase?.("importing transformers, building the model");
  const model = await bridge.buildModel(plan, signal);
  const trainer = bridge.trainerOf({
    ...{ resolved, model, corpus, out, callbacks },
    ...(startFrom && { startFrom }),
    ...(until && { until }),
    ...(trace && { trace }),
    ...(repository !== undefined && { repository }),
    ...(slot && { slot }),
  });
  if (listener.onEvent) trainer.onEvent(listener.onEvent);
  listener.onPhase?.("preparing HF's Trainer");
  const run = await prepare(trainer, cancel);
  listener.onStart?.(run, trainer);
  const outcome = await trainer.train(cancel);
  await trainer.close();
  await model.close();
  return { run, outcome };
}

/** Analyse the run of a training that has ended. */
export async function concludeTraining(
  { run, outcome }: ConductedTraining,
  { config }: ResolvedConfig,
  options: Pick<TrainOptions, "signal">,
  listener: Pick<TrainListener, "onAnalysis">,
): Promise<TrainedRun> {
  // A signal that has ended the training does not cancel the analysis.
  const signal = options.signal?.aborted ? undefined : options.signal;
  const scan = { signal, onProgress: (done: number, states: number) => listener.onAnalysis?.(done, states) };
  return { directory: run.directory, outcome, result: await concludeRun(run.directory, config, scan) };
}
