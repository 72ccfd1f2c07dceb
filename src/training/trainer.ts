import { join } from "node:path";
import type { EventReceiver } from "../bridge/event-channel.js";
import type { PythonSession } from "../bridge/python-session.js";
import { stopLadder } from "../bridge/stop-ladder.js";
import type { ExperimentInput } from "../config/experiment-schema.js";
import { loadExperiment, type ResolvedExperiment } from "../config/load-experiment.js";
import { BhBridgeError } from "../errors.js";
import type { TrainEvent } from "../protocol/events.js";
import type { Handle, ReplyOf, TrainerState } from "../protocol/operations.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { CallbackDispatcher } from "./callback-dispatcher.js";
import { corpusOf } from "./corpus.js";
import { createRequest } from "./create-request.js";
import { environmentPin } from "./environment-pin.js";
import { EventStream } from "./event-stream.js";
import type { CallOptions, Model, SaveOptions } from "./model.js";
import { type ResolvedDevice, resolveDevice } from "./resolve-device.js";
import { planResume } from "./resume-plan.js";
import { RunRecord } from "./run-record.js";
import { StartedRun } from "./started-run.js";
import { type TrainOutcome, trainOutcome } from "./train-outcome.js";
import type { TrainerCallback } from "./trainer-callback.js";
import type { ResumeOptions, TrainerOptions, TrainerSetup } from "./trainer-options.js";

/** A run that Python is ready to train. */
interface PreparedRun {
  run: StartedRun;
  record: RunRecord;
  handle: Handle;
}

/** How long a training may take to end after its step and save, before it is interrupted, terminated and killed. */
const stopGraceMs = 15_000;
const signalGraceMs = 5_000;

/** Trainings are numbered across all trainers of the process, so that a late stop never hits the next training. */
let trainings = 0;

/**
 * One training of one model, recorded into a run directory.
 *
 * @see Bridge.createTrainer
 */
export class Trainer implements AsyncDisposable {
  /** The complete configuration, and how it came to be. */
  readonly experiment: ResolvedExperiment;
  /** The model that is trained; it has its new weights when `train` has ended. */
  readonly model: Model;
  /** What was found in the corpus. */
  readonly corpus: CorpusFacts;
  /** Where it is trained. */
  readonly device: ResolvedDevice;
  readonly #session: PythonSession;
  readonly #out: string;
  readonly #startFrom: string | null;
  readonly #callbacks: readonly TrainerCallback[];
  readonly #streams = new Set<EventStream>();
  readonly #listeners = new Set<(event: TrainEvent) => void>();
  readonly #dispatcher: CallbackDispatcher;
  #training = 0;
  #call: Promise<unknown> | undefined;
  #prepared: Promise<PreparedRun> | undefined;

  private constructor(session: PythonSession, setup: TrainerSetup) {
    this.#session = session;
    this.experiment = setup.experiment;
    this.model = setup.model;
    this.corpus = setup.corpus;
    this.device = resolveDevice(setup.experiment.experiment.device, session.environment);
    this.#out = setup.out;
    this.#startFrom = setup.startFrom ?? null;
    this.#callbacks = setup.callbacks;
    this.#dispatcher = new CallbackDispatcher(setup.callbacks, {
      send: (command) => session.send(command),
      stop: () => this.#stop("callback"),
    });
  }

  /**
   * A trainer for a complete experiment whose corpus has been read.
   *
   * @internal
   */
  static of(session: PythonSession, setup: TrainerSetup): Trainer {
    return new Trainer(session, setup);
  }

  /**
   * Check the options and the corpus.
   *
   * @internal
   */
  static async create(session: PythonSession, device: ExperimentInput["device"], options: TrainerOptions): Promise<Trainer> {
    const { model, callbacks = [], out = "runs", signal, ...input } = options;
    const experiment = await loadExperiment({ input: { device, ...input, ...model.origin } });
    return new Trainer(session, { experiment, model, corpus: await corpusOf(experiment, signal), out, callbacks });
  }

  /**
   * Every event from now on, until the training ends. Several readers get all events each; one that falls far behind misses events of steps, and of
   * nothing else. How the training ends is told by `train`.
   */
  events(): AsyncIterableIterator<TrainEvent> {
    const stream: EventStream = new EventStream(() => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  /**
   * Call `listener` with every event as it arrives; what it throws ends the training.
   *
   * @internal
   */
  onEvent(listener: (event: TrainEvent) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Make the run directory, record step 0 and build HF's Trainer. `train` does it when it has not been done.
   *
   * @throws {BhBridgeError} `ABORTED` by the signal, `FILE_UNWRITABLE`, `DISK_FULL`, `CONFIG_INVALID`, `PYTHON_RAISED`, `PEER_EXITED`.
   */
  async prepare({ signal }: CallOptions = {}): Promise<StartedRun> {
    return (await this.#whenPrepared(signal)).run;
  }

  /**
   * Train to the end, to a decider's stop, or to an abort, which ends it after the current step with a checkpoint.
   *
   * @throws {BhBridgeError} `USER_CALLBACK_FAILED`, `PEER_EXITED`, `DISK_FULL`, `PYTHON_RAISED`, `ABORTED` when the signal was aborted before the first step,
   * `USAGE` when this trainer has trained before.
   */
  async train({ signal }: CallOptions = {}): Promise<TrainOutcome> {
    if (this.#training > 0) throw new BhBridgeError("USAGE", "this trainer has trained, and its run is closed: create another trainer");
    this.#training = ++trainings;
    try {
      return await this.#train(await this.#whenPrepared(signal), signal);
    } finally {
      for (const stream of this.#streams) stream.end();
    }
  }

  /**
   * Go on with a run that ended early, from its newest checkpoint to its end, and to the same bits.
   *
   * The steps from the checkpoint to the newest recorded one are computed again and compared with their checksums. This trainer's experiment has to be the
   * run's; another number of steps is accepted where the schedule allows it.
   *
   * @param run a run, or the path of its directory.
   * @throws {BhBridgeError} `RUN_LOCKED` naming the process that has it, `RESUME_MISMATCH`, `RESUME_DIVERGED`, `RUN_NOT_FOUND`, `RUN_CORRUPT`, and as `train`.
   */
  async resume(run: string | { readonly directory: string }, { signal, allowInexact = false }: ResumeOptions = {}): Promise<TrainOutcome> {
    await this.prepareResume(run, { signal, allowInexact });
    return this.train({ signal });
  }

  /** Everything of `resume` before its first step. @throws {BhBridgeError} as `resume`. */
  async prepareResume(run: string | { readonly directory: string }, { signal, allowInexact = false }: ResumeOptions = {}): Promise<StartedRun> {
    if (this.#prepared) throw new BhBridgeError("USAGE", "this trainer has a run already: create another trainer to resume one");
    return (await this.#keep(this.#reopen(typeof run === "string" ? run : run.directory, allowInexact, signal))).run;
  }

  /**
   * Loss and perplexity on the part of the corpus that `data.held_out` keeps.
   *
   * @throws {BhBridgeError} `CONFIG_INVALID` when nothing is held out.
   */
  async evaluate({ signal }: CallOptions = {}): Promise<{ loss: number; perplexity: number }> {
    const { handle } = await this.#whenPrepared(signal);
    const metrics = await this.#session.invoke("trainer.evaluate", { handle }, { signal, receiver: this.#receiver });
    await this.#dispatcher.delivered();
    return metrics;
  }

  /** Save the model as it is now, in HF layout, where nothing is lost by it. @throws {BhBridgeError} as `Model.save`. */
  async saveModel(directory: string, options: SaveOptions = {}): Promise<void> {
    await this.model.save(directory, options);
  }

  /** HF's TrainerState, under its own names. */
  async state({ signal }: CallOptions = {}): Promise<TrainerState> {
    const { handle } = await this.#whenPrepared(signal);
    return this.#session.invoke("trainer.state", { handle }, { signal });
  }

  /** Let Python forget the trainer. Its run stays. */
  async close(): Promise<void> {
    const prepared = await this.#prepared?.catch(() => undefined); // what failed to be made needs no closing
    if (prepared) await this.#session.forget("trainer.close", prepared.handle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #whenPrepared(signal: AbortSignal | undefined): Promise<PreparedRun> {
    return this.#prepared ?? this.#keep(this.#prepare(signal));
  }

  /** A preparation is done once; one that failed or was cancelled can be tried again. */
  async #keep(preparation: Promise<PreparedRun>): Promise<PreparedRun> {
    this.#prepared = preparation;
    try {
      return await preparation;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }

  async #prepare(signal: AbortSignal | undefined): Promise<PreparedRun> {
    const environment = environmentPin(this.#session.environment, this.device);
    const { parameterCount: parameters, changes } = this.model;
    const facts = { experiment: this.experiment, corpus: this.corpus, environment, parameters, modelChanges: [...changes] };
    const record = await RunRecord.create(this.#out, { ...facts, startFrom: this.#startFrom, callbacks: this.#callbacks });
    try {
      const reply = await this.#create(record, null, signal);
      return { run: new StartedRun(record, reply), record, handle: reply.handle };
    } catch (error) {
      record.failed(error);
      throw error;
    }
  }

  /** Go back to where a run ended. Its lock is Python's to take, so nothing is written before Python has answered. */
  async #reopen(run: string, allowInexact: boolean, signal: AbortSignal | undefined): Promise<PreparedRun> {
    const environment = environmentPin(this.#session.environment, this.device);
    const plan = planResume(run, { experiment: this.experiment.experiment, corpus: this.corpus, environment }, allowInexact);
    const record = RunRecord.reopen(plan);
    const reply = await this.#create(record, plan.exact ? "exact" : "inexact", signal);
    record.resumed(plan, this.experiment, environment, reply);
    return { run: new StartedRun(record, reply), record, handle: reply.handle };
  }

  #create({ directory, manifest }: RunRecord, resume: "exact" | "inexact" | null, signal: AbortSignal | undefined): Promise<ReplyOf<"trainer.create">> {
    const request = createRequest(this.experiment.experiment, {
      model: this.model.handle,
      run_directory: directory,
      corpus: this.corpus.path,
      device: this.device.kind,
      events: this.#dispatcher.events,
      deciders: this.#dispatcher.deciders,
      resume,
      start_from: manifest.start_from,
    });
    const onAbandoned = (reply: ReplyOf<"trainer.create">) => void this.#session.forget("trainer.close", reply.handle);
    return this.#session.invoke("trainer.create", request, { signal, receiver: this.#receiver, onAbandoned });
  }

  async #train({ run, record, handle }: PreparedRun, signal: AbortSignal | undefined): Promise<TrainOutcome> {
    this.#session.addLog(join(run.directory, "python.log"));
    this.model.changes.push(`trained in ${run.directory}`);
    const options = { signal, receiver: this.#receiver, onAbort: () => this.#stop("signal") };
    const call = this.#session.invoke("trainer.train", { handle, training: this.#training }, options);
    this.#call = call;
    try {
      const reply = await call;
      await this.#dispatcher.delivered();
      record.finished(reply);
      return trainOutcome(run.directory, reply, this.#dispatcher.coalesced);
    } catch (error) {
      record.failed(error);
      throw error;
    }
  }

  readonly #receiver: EventReceiver = {
    onMessage: (message) => {
      this.#dispatcher.onMessage(message);
      if (message.type === "decide" || message.type === "coalesced") return;
      for (const listener of this.#listeners) listener(message);
      for (const stream of this.#streams) stream.push(message);
    },
    onInvalid: (error) => this.#dispatcher.onInvalid(error),
  };

  /** End the training that is under way: ask, interrupt, terminate, kill. */
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
