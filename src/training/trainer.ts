import { EventEmitter, on } from "node:events";
import { join } from "node:path";
import { packageManifest } from "../bridge/package-manifest.js";
import type { PythonSession } from "../bridge/python-session.js";
import { stopLadder } from "../bridge/stop-ladder.js";
import { corpusPath } from "../config/corpus-path.js";
import type { ExperimentInput } from "../config/experiment-schema.js";
import { loadExperiment, type ResolvedExperiment } from "../config/load-experiment.js";
import { BhBridgeError } from "../errors.js";
import type { ChannelMessage, TrainEvent } from "../protocol/events.js";
import type { ReplyOf } from "../protocol/operations.js";
import { createRunDirectory } from "../runs/create-run-directory.js";
import { gitState } from "../runs/git-state.js";
import { type CorpusFacts, type EnvironmentPin, type RunManifest, runFormat, writeRunManifest } from "../runs/run-manifest.js";
import { CallbackDispatcher } from "./callback-dispatcher.js";
import { readCorpus } from "./corpus.js";
import type { CallOptions, Model } from "./model.js";
import { type ResolvedDevice, resolveDevice } from "./resolve-device.js";
import type { TrainerCallback } from "./trainer-callback.js";

/** What a trainer needs beside its model; the fields are those of a configuration. */
export interface TrainerOptions extends Pick<ExperimentInput, "data" | "training" | "noise" | "record" | "checkpoint" | "device" | "name"> {
  model: Model;
  callbacks?: readonly TrainerCallback[];
  /** The folder that holds the runs. */
  out?: string;
}

/** What a trainer is made of, once everything has been checked. */
export interface TrainerSetup {
  experiment: ResolvedExperiment;
  model: Model;
  corpus: CorpusFacts;
  out: string;
  callbacks: readonly TrainerCallback[];
}

/** How a training ended. */
export interface TrainOutcome {
  status: "completed" | "stopped";
  /** Why it stopped early: `signal`, `decider`, or what was given to `stop`; null when it completed. */
  reason: string | null;
  steps: { planned: number; done: number };
  /** Seconds in HF's `train()`. */
  seconds: number;
  stepsPerSecond: number;
  /** HF's log history: entries with `loss` or `eval_loss`. */
  logHistory: Record<string, number>[];
  bestMetric: number | null;
  /** Absolute path of the run directory. */
  run: string;
}

/** What has been recorded of a run when its training begins. */
export interface StartedRun {
  directory: string;
  manifest: RunManifest;
  windows: number;
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
  readonly experiment: ResolvedExperiment;
  readonly model: Model;
  readonly corpus: CorpusFacts;
  readonly device: ResolvedDevice;
  readonly #session: PythonSession;
  readonly #out: string;
  readonly #callbacks: readonly TrainerCallback[];
  readonly #events = new EventEmitter<{ event: [TrainEvent]; end: [] }>();
  #dispatcher: CallbackDispatcher;
  #training = 0;
  #prepared: Promise<{ run: StartedRun; reply: ReplyOf<"trainer.create"> }> | undefined;

  /** For `Bridge.createTrainer` and the program: the experiment is complete and its corpus has been read. */
  constructor(session: PythonSession, setup: TrainerSetup) {
    this.#session = session;
    this.experiment = setup.experiment;
    this.model = setup.model;
    this.corpus = setup.corpus;
    this.device = resolveDevice(setup.experiment.experiment.device, session.environment);
    this.#out = setup.out;
    this.#callbacks = setup.callbacks;
    this.#dispatcher = new CallbackDispatcher(
      setup.callbacks,
      (command) => session.channel.send(command),
      () => this.#requestStop("callback"),
    );
  }

  /** Check the options and the corpus. */
  static async create(session: PythonSession, device: ExperimentInput["device"], options: TrainerOptions): Promise<Trainer> {
    const { model, callbacks = [], out = "runs", ...input } = options;
    const experiment = await loadExperiment({ input: { device, ...input, ...model.origin } });
    return new Trainer(session, { experiment, model, corpus: corpusOf(experiment), out, callbacks });
  }

  /** Every event of the training as it happens, until the training ends. Begin to read before `train` is called. */
  async *events(): AsyncGenerator<TrainEvent> {
    for await (const [event] of on(this.#events, "event", { close: ["end"] })) yield event as TrainEvent;
  }

  /** Call `listener` with every event; no waiting, no order between listeners. */
  onEvent(listener: (event: TrainEvent) => void): void {
    this.#events.on("event", listener);
  }

  /** Make the run directory, record step 0 and build HF's Trainer. `train` does it when it has not been done. */
  async prepare({ signal }: CallOptions = {}): Promise<StartedRun> {
    this.#prepared ??= this.#prepare(signal);
    return (await this.#prepared).run;
  }

  /**
   * Train to the end, to a decider's stop, or to an abort, which ends it after the current step with a checkpoint.
   *
   * @throws {BhBridgeError} `USER_CALLBACK_FAILED`, `PEER_EXITED`, `DISK_FULL`, `PYTHON_RAISED`, `ABORTED` when the signal was aborted before the first step.
   */
  async train({ signal }: CallOptions = {}): Promise<TrainOutcome> {
    const run = await this.prepare(signal ? { signal } : {});
    const handle = await this.#handle();
    if (signal?.aborted) throw new BhBridgeError("ABORTED", "the training was cancelled before its first step", { cause: signal.reason });
    this.#training = ++trainings;
    this.#session.addLog(join(run.directory, "python.log"));
    this.#session.channel.subscribe(
      (message) => this.#receive(message),
      (cause) => this.#dispatcher.fail(new BhBridgeError("PROTOCOL_INVALID", `an event of the training is invalid: ${String(cause)}`, { cause })),
    );
    const call = this.#session.invoke("trainer.train", { handle, training: this.#training });
    const onAbort = () => void this.#stop(call, "signal");
    signal?.addEventListener("abort", onAbort);
    try {
      const reply = await call;
      await this.#dispatcher.delivered;
      if (this.#dispatcher.failure) throw this.#dispatcher.failure;
      return this.#finish(run, reply);
    } catch (error) {
      throw this.#fail(run, error);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#events.emit("end");
    }
  }

  /**
   * Loss and perplexity on the part of the corpus that `data.held_out` keeps.
   *
   * @throws {BhBridgeError} `CONFIG_INVALID` when nothing is held out.
   */
  async evaluate({ signal }: CallOptions = {}): Promise<{ loss: number; perplexity: number }> {
    await this.prepare(signal ? { signal } : {});
    return this.#session.invoke("trainer.evaluate", { handle: await this.#handle() }, signal);
  }

  /** Save the model as it is now, in HF layout. */
  async saveModel(directory: string, options: CallOptions = {}): Promise<void> {
    await this.model.save(directory, options);
  }

  /** HF's TrainerState, under its own names. */
  async state({ signal }: CallOptions = {}): Promise<Readonly<Record<string, unknown>>> {
    await this.prepare(signal ? { signal } : {});
    return this.#session.invoke("trainer.state", { handle: await this.#handle() }, signal);
  }

  /** Let Python forget the trainer. Its run stays. */
  async close(): Promise<void> {
    if (this.#prepared) await this.#session.invoke("trainer.close", { handle: await this.#handle() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #handle() {
    this.#prepared ??= this.#prepare(undefined);
    return (await this.#prepared).reply.handle;
  }

  async #prepare(signal: AbortSignal | undefined) {
    const { experiment, preset, hash } = this.experiment;
    const git = await gitState();
    const name = experiment.name ?? preset;
    const directory = createRunDirectory(this.#out, name, hash, experiment);
    const manifest: RunManifest = {
      format: runFormat,
      min_reader: runFormat,
      name,
      preset,
      status: "running",
      reason: null,
      created: new Date().toISOString(),
      ended: null,
      package_version: packageManifest().version,
      config_hash: hash,
      parameters: this.model.parameterCount,
      environment: environmentPin(this.#session, this.device),
      corpus: this.corpus,
      seconds: 0,
      git,
    };
    writeRunManifest(directory, manifest);
    const reply = await this.#session.invoke("trainer.create", this.#request(directory), signal);
    return { run: { directory, manifest, windows: reply.windows }, reply };
  }

  #request(directory: string) {
    const { experiment } = this.experiment;
    const { data, training, noise, record, checkpoint, seed } = experiment;
    return {
      model: this.model.handle,
      run_directory: directory,
      data: { corpus: this.corpus.path, label_shift: data.label_shift, held_out: data.held_out },
      training: JSON.parse(JSON.stringify(training)),
      dtype: experiment.model.dtype,
      seed,
      device: this.device.kind,
      noise,
      record,
      checkpoint,
      events: this.#dispatcher.events,
      deciders: this.#dispatcher.deciders,
      resume: false,
    };
  }

  #receive(message: ChannelMessage): void {
    this.#dispatcher.receive(message);
    if (message.type !== "decide" && message.type !== "coalesced") this.#events.emit("event", message);
  }

  #requestStop(reason: string): void {
    this.#session.channel.send({ type: "stop", training: this.#training, reason });
  }

  async #stop(call: Promise<unknown>, reason: string): Promise<void> {
    const ended = call.then(
      () => undefined,
      () => undefined,
    );
    await stopLadder(ended, [
      { act: () => this.#requestStop(reason), graceMs: stopGraceMs },
      { act: () => this.#session.signal("SIGINT"), graceMs: signalGraceMs },
      { act: () => this.#session.signal("SIGTERM"), graceMs: signalGraceMs },
      { act: () => this.#session.signal("SIGKILL"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }

  #finish({ directory, manifest }: StartedRun, reply: ReplyOf<"trainer.train">): TrainOutcome {
    const { status, reason, seconds } = reply;
    Object.assign(manifest, { status, reason, seconds: manifest.seconds + seconds, ended: new Date().toISOString() });
    writeRunManifest(directory, manifest);
    return {
      status,
      reason,
      steps: { planned: reply.max_steps, done: reply.global_step },
      seconds,
      stepsPerSecond: seconds > 0 ? reply.steps_this_time / seconds : 0,
      logHistory: reply.log_history,
      bestMetric: reply.best_metric,
      run: directory,
    };
  }

  #fail({ directory, manifest }: StartedRun, error: unknown): unknown {
    const reason = error instanceof Error ? error.message : String(error);
    Object.assign(manifest, { status: "failed", reason, ended: new Date().toISOString() });
    writeRunManifest(directory, manifest);
    return error;
  }
}

/** Read the corpus of a complete experiment. @throws {BhBridgeError} `CORPUS_INVALID`. */
export function corpusOf({ experiment }: ResolvedExperiment): CorpusFacts {
  const { vocab_size, n_positions } = experiment.model;
  return readCorpus(corpusPath(experiment), vocab_size, n_positions, experiment.data.held_out);
}

function environmentPin({ environment }: PythonSession, device: ResolvedDevice): EnvironmentPin {
  const version = (name: string) => environment.packages[name] ?? "";
  return {
    device: device.label,
    threads: environment.threads,
    cpu_capability: environment.cpu_capability,
    python: environment.python,
    torch: environment.torch,
    transformers: version("transformers"),
    accelerate: version("accelerate"),
    safetensors: version("safetensors"),
    numpy: version("numpy"),
    platform: environment.platform,
  };
}
