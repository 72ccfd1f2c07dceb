import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Bridge } from "../bridge/bridge.js";
import { isCoalescible, maxWaitingEvents } from "../bridge/callback-dispatcher.js";
import { corpusOf } from "../bridge/corpus.js";
import { EventStreams } from "../bridge/event-streams.js";
import { loadRunConfig } from "../bridge/load-run-config.js";
import type { CallOptions, ModelPlan } from "../bridge/model.js";
import { requireCorpusMemory } from "../bridge/require-memory.js";
import type { StartedRun } from "../bridge/run-record.js";
import type { Trainer } from "../bridge/trainer.js";
import type { TrainerCallback } from "../bridge/trainer-callback.js";
import type { TrainerSetup, TrainOutcome } from "../bridge/trainer-options.js";
import type { ResolvedConfig, RunInput } from "../config/resolve-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import type { TrainEvent } from "../protocol/events.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { runsFolder } from "../runs/run-layout.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { concludeRun } from "./summarize-run.js";
import type { TrainResult } from "./train-result.js";

/** A training under way. Await it for what comes out, or iterate over it to follow its events; it goes on whether somebody does or not. */
export type FollowedTraining<Result> = Promise<Result> & AsyncIterable<TrainEvent>;

/**
 * Let the events of a training be followed. A reader that lags misses events of steps, as with `trainer.events()`.
 * @param conduct is given what it tells every event to. How it fails is how the promise rejects, and how every loop over the events ends.
 */
export function followTraining<Result>(conduct: (tell: (event: TrainEvent) => void) => Promise<Result>): FollowedTraining<Result> {
  const streams = new EventStreams<TrainEvent>({ maxWaiting: maxWaitingEvents, mayLeaveOut: isCoalescible });
  const result = conduct((event) => streams.push(event));
  const close = () => streams.close();
  async function* events(): AsyncGenerator<TrainEvent, void> {
    result.then(close, close);
    yield* streams.open();
    await result;
  }
  return Object.assign(result, { [Symbol.asyncIterator]: events });
}

export interface TrainOptions {
  /** Ends the training after its current step, with a checkpoint to resume from. */
  signal?: AbortSignal | undefined;
  /** Observers and deciders, called in their order. */
  callbacks?: readonly TrainerCallback[];
  /** The folder that holds the runs; `runs` when left out. */
  out?: string;
  /**
   * A checkpoint directory of HF's Trainer, to go on from with optimizer, schedule and random streams, not only with its weights. The configuration's
   * `model.from` has to be the same directory.
   */
  startFrom?: string;
}

/** What the program wants to hear while a run is under way. */
export interface TrainListener {
  /** What is under way before there is a run, in a few words. */
  onPhase?(phase: string): void;
  onStart?(run: StartedRun, trainer: Pick<Trainer, "requestCheckpoint">): void;
  onEvent?(event: TrainEvent): void;
  /** The training has ended; so many states of its history have been analysed. */
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
 * One run from nothing to its verdict: model, training, recording, analysis. Iterate over it to follow its events.
 * @param input any part of a configuration, and the preset that it starts from; the seed's when left out.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `USAGE` where `startFrom` is not `model.from`, and as `Bridge.start`
 *   and `Trainer.train`.
 */
export function train(input: RunInput = {}, options: TrainOptions = {}): FollowedTraining<TrainedRun> {
  return followTraining(async (tell) => {
    const resolved = await loadRunConfig({ input });
    if (options.startFrom !== undefined) requireSameStart(options.startFrom, resolved.config.model.from);
    const python = await resolvePython({ ...(resolved.config.python && { config: resolved.config.python }) }, options.signal);
    return trainResolved(resolved, python, options, { onEvent: tell });
  });
}

/** Run a complete configuration with an interpreter that has been found. */
export async function trainResolved(resolved: ResolvedConfig, python: UsablePython, options: TrainOptions, listener: TrainListener = {}): Promise<TrainedRun> {
  return trainAndConclude({ ...newTraining(resolved), python, threads: threadsOf(resolved.config) }, options, listener);
}

/** CPU threads of each process; left to themselves, several processes would each take a thread for every core. */
function threadsOf({ threads, engine: { processes } }: Pick<RunConfig, "threads" | "engine">): number | null {
  return threads ?? (processes > 1 ? Math.max(1, Math.floor(availableParallelism() / processes)) : null);
}

/** A training that begins a run. */
export function newTraining(resolved: ResolvedConfig): TrainingPlan {
  return { resolved, model: resolved.config, prepare: (trainer, cancel) => trainer.prepare(cancel) };
}

/** Weights of one checkpoint with the optimizer of another are the state of no training. */
function requireSameStart(startFrom: string, from: string | null): void {
  if (from !== null && resolve(from) === resolve(startFrom)) return;
  const present = from === null ? "model.from is not set" : `model.from is ${resolve(from)}`;
  throw new BhBridgeError("USAGE", `startFrom is ${resolve(startFrom)}, and ${present}: both have to name the same checkpoint. Set model.from to it`);
}

/** What is trained, and how it begins. */
export interface TrainingPlan extends Pick<TrainerSetup, "until" | "trace" | "repository" | "seat"> {
  resolved: ResolvedConfig;
  /** What the model is built from. */
  model: ModelPlan;
  /** Begin a run, or take one up. */
  prepare(trainer: Trainer, options: CallOptions): Promise<StartedRun>;
}

/** A training, and the process that does it. */
interface Conduct extends TrainingPlan {
  python: UsablePython;
  threads: number | null;
}

/** As `conductTraining`; then analyse and judge the run. */
export async function trainAndConclude(conduct: Conduct, options: TrainOptions, listener: TrainListener): Promise<TrainedRun> {
  return concludeTraining(await conductTraining(conduct, options, listener), conduct.resolved, options, listener);
}

/** A training that has ended, and its run as it left it. */
interface ConductedTraining {
  run: StartedRun;
  outcome: TrainOutcome;
}

/** Start Python, build the model, train: the one sequence behind every training in a process of its own. */
export async function conductTraining({ python, threads, ...training }: Conduct, options: TrainOptions, listener: TrainListener): Promise<ConductedTraining> {
  const { resolved } = training;
  const { signal } = options;
  listener.onPhase?.("reading the corpus");
  const corpus = await corpusOf(resolved, signal); // before Python starts: a wrong path is told at once
  requireCorpusMemory(corpus, resolved.config);
  listener.onPhase?.("importing PyTorch");
  await using bridge = await Bridge.startWith(python, { threads, device: resolved.config.device, ...(signal && { signal }) });
  return await trainIn(bridge, { ...training, corpus }, options, listener); // awaited here: the bridge closes when this function ends
}

/** Build the model and train, in a Python that has started; once trained, what was made there for it is let go of. */
export async function trainIn(
  bridge: Bridge,
  { resolved, corpus, model: plan, prepare, until, trace, repository, seat }: TrainingPlan & { corpus: CorpusFacts },
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
    ...(seat && { seat }),
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

/** Analyse and judge the run of a training that has ended. */
export async function concludeTraining(
  { run, outcome }: ConductedTraining,
  { config }: ResolvedConfig,
  options: Pick<TrainOptions, "signal">,
  listener: Pick<TrainListener, "onAnalysis">,
): Promise<TrainedRun> {
  // A signal has ended the training already, or may still end what follows.
  const signal = options.signal?.aborted ? undefined : options.signal;
  const scan = { signal, onProgress: (done: number, states: number) => listener.onAnalysis?.(done, states) };
  return { directory: run.directory, outcome, result: await concludeRun(run.directory, config, scan) };
}
