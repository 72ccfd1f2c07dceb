import { join } from "node:path";
import { type ResolvedConfig, resolveRunConfig } from "../config/resolve-run-config.js";
import { deviceOf } from "../config/run-config-fields.js";
import type { RunConfigInput } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import type { TrainEvent } from "../protocol/events.js";
import type { TrainerState } from "../protocol/operations.js";
import type { EventReceiver } from "../python/event-channel.js";
import type { PythonSession } from "../python/python-session.js";
import { stopLadder } from "../python/session-end.js";
import { runFiles, runsFolder } from "../runs/run-layout.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { callArguments } from "./call-arguments.js";
import { CallbackDispatcher, isCoalescible, maxWaitingEvents } from "./callback-dispatcher.js";
import { corpusOf } from "./corpus.js";
import { EventStreams } from "./event-streams.js";
import type { CallOptions, Model, SaveOptions } from "./model.js";
import { beginRun, type Preparation, type PreparedRun, type ResolvedDevice, releaseRun, reopenRun, requireGpu, resolveDevice } from "./prepared-run.js";
import { requireCorpusMemory } from "./require-memory.js";
import type { RunRecord, StartedRun, UnstartedRun } from "./run-record.js";
import { type ResumeOptions, type TrainerOptions, type TrainerSetup, type TrainOutcome, trainerArguments, trainOutcome } from "./trainer-options.js";

/** Time for a training to finish its step and save, before it is interrupted, terminated and killed. */
const stopGraceMs = 15_000;
const signalGraceMs = 5_000;

/** Trainings are numbered across all trainers of the process, so that a late stop never ends the next training. */
let trainings = 0;

/** One training of one model, recorded into a run directory. @see Bridge.createTrainer */
export class Trainer implements AsyncDisposable {
  /** The complete configuration and its sources. */
  readonly resolved: ResolvedConfig;
  /** The model to train; it has its new weights when `train` has ended. */
  readonly model: Model;
  readonly corpus: CorpusFacts;
  readonly device: ResolvedDevice;
  readonly #session: PythonSession;
  readonly #setup: TrainerSetup;
  /** Slow readers miss step events, but never a log, evaluation or save. */
  readonly #streams = new EventStreams<TrainEvent>({ maxWaiting: maxWaitingEvents, isDroppable: isCoalescible });
  readonly #listeners = new Set<(event: TrainEvent) => void>();
  readonly #dispatcher: CallbackDispatcher;
  #training = 0;
  #unstarted: UnstartedRun | undefined;
  #record: RunRecord | undefined;
  #isClosed = false;
  #call: Promise<unknown> | undefined;
  #prepared: Promise<PreparedRun> | undefined;

  private constructor(session: PythonSession, setup: TrainerSetup) {
    this.#session = session;
    this.resolved = setup.resolved;
    this.model = setup.model;
    this.corpus = setup.corpus;
    requireCorpusMemory(setup.corpus, setup.resolved.config);
    this.device = resolveDevice(deviceOf(setup.resolved.config), session.environment);
    if (setup.resolved.config.device === "auto") requireGpu(setup.resolved.config, this.device.kind);
    this.#setup = setup;
    this.#dispatcher = new CallbackDispatcher(setup.callbacks, {
      send: (command) => session.send(command),
      stop: () => this.#call && this.#stop("callback"),
      answer: (name, task) => session.deadlocks.whileWaitedFor(name, task),
    });
    const streams = this.#streams; // without `this`, so that the trainer can be collected before Python ends
    void session.ended.then(() => streams.close());
  }

  /** Create a trainer from a complete configuration and the facts of its corpus. @internal */
  static of(session: PythonSession, setup: TrainerSetup): Trainer {
    return new Trainer(session, setup);
  }

  /** Create a trainer from options, which are checked. @internal */
  static async create(session: PythonSession, defaults: Pick<RunConfigInput, "device" | "threads">, options: TrainerOptions): Promise<Trainer> {
    const { model, callbacks = [], out = runsFolder, signal, ...input } = callArguments("createTrainer", trainerArguments(session), options) as TrainerOptions;
    const resolved = await resolveRunConfig({ input: { ...defaults, ...input, ...model.origin, seeds: { ...model.origin.seeds, ...input.seeds } } });
    requireGpu(resolved.config, resolved.config.device);
    return new Trainer(session, { resolved, model, corpus: await corpusOf(resolved, signal), out, callbacks });
  }

  /**
   * Every event from now on, until the training ends. Each reader gets all events; a slow one misses step events only. Failures are reported by `train`.
   */
  events(): AsyncIterableIterator<TrainEvent> {
    return this.#streams.open();
  }

  /** Call `listener` with every event as it arrives; an error it throws ends the training. @internal */
  onEvent(listener: (event: TrainEvent) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Create the run directory and HF's Trainer; otherwise `train` does. The run starts in `train`, with the weights that the model has then. Closing the
   * trainer or the bridge before removes the directory.
   * @throws {BhBridgeError} `ABORTED` by the signal, `FILE_UNWRITABLE`, `DISK_FULL`, `CONFIG_INVALID`, `PYTHON_RAISED`, `PEER_EXITED`, `USER_CALLBACK_FAILED`
   *   if `onInitEnd` throws, `USAGE` if the trainer is closed.
   */
  async prepare({ signal }: CallOptions = {}): Promise<StartedRun> {
    return (await this.#whenPrepared(signal)).run;
  }

  /**
   * Train until the end, a decider's stop, or an abort, which ends training after the current step with a checkpoint.
   * @throws {BhBridgeError} `USER_CALLBACK_FAILED`, `PEER_EXITED`, `DISK_FULL`, `PYTHON_RAISED`, `ABORTED` when the signal was aborted before the first step,
   *   `USAGE` when this trainer has trained before, or while another one trains the same model.
   */
  async train({ signal }: CallOptions = {}): Promise<TrainOutcome> {
    if (this.#training > 0) throw new BhBridgeError("USAGE", "this trainer has trained, and its run is closed: create another trainer");
    using _reserved = this.model.beginTraining();
    this.#training = ++trainings;
    try {
      return await this.#train(await this.#readyToTrain(signal), signal);
    } finally {
      this.#streams.end();
    }
  }

  /**
   * Resume a run that ended early from its newest checkpoint, with the bits of an uninterrupted run.
   *
   * Steps between the checkpoint and the newest recorded step are recomputed and compared with their checksums. The trainer must have the run's configuration,
   * except for the number of steps if the schedule allows it.
   * @param run a run, or the path of its directory.
   * @throws {BhBridgeError} `RUN_LOCKED` naming the process, `RESUME_MISMATCH`, `RESUME_DIVERGED`, `RUN_NOT_FOUND`, `RUN_CORRUPT`, and as `train`.
   */
  async resume(run: string | { readonly directory: string }, { signal, allowInexact = false }: ResumeOptions = {}): Promise<TrainOutcome> {
    await this.prepareResume(run, { signal, allowInexact });
    return this.train({ signal });
  }

  /** Prepare `resume` without training. @throws {BhBridgeError} as `resume`. */
  async prepareResume(run: string | { readonly directory: string }, options: ResumeOptions = {}): Promise<StartedRun> {
    if (this.#prepared) throw new BhBridgeError("USAGE", "this trainer has a run already: create another trainer to resume one");
    return (await this.#keep(reopenRun(this.#preparation, typeof run === "string" ? run : run.directory, options))).run;
  }

  /** Loss and perplexity on the held-out part of the corpus. @throws {BhBridgeError} `CONFIG_INVALID` if `data.held_out` is 0. */
  async evaluate({ signal }: CallOptions = {}): Promise<{ loss: number; perplexity: number }> {
    const { handle } = await this.#whenPrepared(signal);
    const metrics = await this.#session.invoke("trainer.evaluate", { handle }, { signal, receiver: this.#receiver });
    await this.#dispatcher.delivered();
    return metrics;
  }

  /** Save the present model in HF layout. @throws {BhBridgeError} as `Model.save`. */
  async saveModel(directory: string, options: SaveOptions = {}): Promise<void> {
    await this.model.save(directory, options);
  }

  /** HF's TrainerState, under its own names. */
  async state({ signal }: CallOptions = {}): Promise<TrainerState> {
    const { handle } = await this.#whenPrepared(signal);
    return this.#session.invoke("trainer.state", { handle }, { signal });
  }

  /** Release the trainer in Python. Its run remains, unless training never began. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const prepared = await this.#prepared?.catch(() => undefined); // a failed preparation requires no closing
    if (prepared) await releaseRun(this.#session, prepared);
    this.#streams.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #whenPrepared(signal: AbortSignal | undefined): Promise<PreparedRun> {
    await this.#dispatcher.delivered(); // throws if a callback has failed before training
    if (this.#isClosed) throw new BhBridgeError("USAGE", "this trainer is closed: create another trainer");
    return this.#prepared ?? this.#keep(beginRun(this.#preparation, signal));
  }

  /** The run to train. If preparation fails, the trainer can be used again. */
  async #readyToTrain(signal: AbortSignal | undefined): Promise<PreparedRun> {
    try {
      return await this.#whenPrepared(signal);
    } catch (error) {
      this.#training = 0;
      throw error;
    }
  }

  /** Store a preparation, so that it happens once. A failed or cancelled one can be repeated. */
  async #keep(preparation: Promise<PreparedRun>): Promise<PreparedRun> {
    this.#prepared = preparation;
    try {
      const prepared = await preparation;
      this.#unstarted = prepared.unstarted;
      return prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }

  get #preparation(): Preparation {
    return { ...this.#setup, session: this.#session, device: this.device, dispatcher: this.#dispatcher, receiver: this.#receiver };
  }

  async #train({ run, record, handle, isFromStart, unstarted }: PreparedRun, signal: AbortSignal | undefined): Promise<TrainOutcome> {
    this.#session.addLog(join(run.directory, runFiles.pythonLog));
    this.#record = record;
    const options = { signal, receiver: this.#receiver, onAbort: () => this.#stop("signal") };
    const request = { handle, training: this.#training };
    const { slot } = this.#setup;
    try {
      await this.model.settled(); // no tensor may change between recording the changes and training
      if (isFromStart) record.begins(this.model.changes);
      const call = slot ? slot.train(this.#session, request, options) : this.#session.invoke("trainer.train", request, options);
      this.#call = call;
      const reply = await call;
      await this.#dispatcher.delivered();
      record.finished(reply);
      return trainOutcome(run.directory, reply, this.#dispatcher.coalesced);
    } catch (error) {
      if (!unstarted?.discard()) record.failed(error);
      throw error;
    } finally {
      this.#streams.close();
    }
  }

  readonly #receiver: EventReceiver = {
    onMessage: (message) => {
      this.#dispatcher.onMessage(message);
      if (message.type === "decide" || message.type === "coalesced") return;
      if (message.type === "train_begin") this.#begun();
      if (message.type === "step_method") this.#record?.computedBy(message);
      for (const listener of this.#listeners) listener(message);
      this.#streams.push(message);
    },
    onInvalid: (error) => this.#dispatcher.onInvalid(error),
  };

  #begun(): void {
    this.#unstarted?.begin();
    if (this.#record) this.model.changes.push(`trained in ${this.#record.directory}`);
  }

  /** Request a checkpoint after the current step. Training continues with the same bits, and a `save` event reports when it is on disk. */
  requestCheckpoint(): void {
    if (this.#call) this.#session.send({ type: "save", training: this.#training });
  }

  /** End the running training: ask, interrupt, terminate, kill. */
  #stop(reason: string): void {
    const ended = this.#call?.catch(() => undefined) ?? Promise.resolve();
    void stopLadder(ended, [
      { act: () => this.#session.send({ type: "stop", training: this.#training, reason }), graceMs: stopGraceMs },
      { act: () => this.#session.interrupt(), graceMs: signalGraceMs },
      { act: () => this.#session.signal("SIGTERM"), graceMs: signalGraceMs },
      { act: () => this.#session.signal("SIGKILL"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }
}
