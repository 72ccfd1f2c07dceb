import { resolve } from "node:path";
import { z } from "zod";
import type { defaultFamily, FamilyInput, FamilyName, GPT2Config, OtherModelType } from "../config/models/families.js";
import { runConfigFields } from "../config/run-config-fields.js";
import type { ModelInput, SeedsInput } from "../config/run-config-input.generated.js";
import type { RunConfig, RunConfigInput } from "../config/run-config-schema.js";
import type { Gpt2Architecture } from "../formats/hf/gpt2-weights.js";
import type { PythonEnvironment, ReplyOf } from "../protocol/operations.js";
import type { FindPythonOptions } from "../python/find-python.js";
import { PythonSession } from "../python/python-session.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { readEmbedding } from "../runs/open-embedding.js";
import { callArguments } from "./call-arguments.js";
import { loadRunConfig } from "./load-run-config.js";
import { type CallOptions, Model, type ModelPlan, modelRequest } from "./model.js";
import { modelDirectory } from "./model-directory.js";
import { requireMemory } from "./require-memory.js";
import { Trainer } from "./trainer.js";
import type { TrainerOptions, TrainerSetup } from "./trainer-options.js";

const { device, threads } = runConfigFields.shape;
const signal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "is not an AbortSignal").optional();

const startArguments = z.strictObject({ python: z.string().min(1).optional(), threads: threads.optional(), device: device.optional(), signal });

/** Values of a configuration are checked with the configuration. */
const createModelArguments = z.strictObject({
  from: z.string().min(1).optional(),
  config: z.looseObject({}).optional(),
  norm: z.unknown().optional(),
  dtype: z.unknown().optional(),
  init: z.unknown().optional(),
  seed: z.unknown().optional(),
  seeds: z.unknown().optional(),
  type: z.unknown().optional(),
  code: z.unknown().optional(),
  class: z.unknown().optional(),
  fields: z.unknown().optional(),
  embedding: z.unknown().optional(),
  vocab_size: z.unknown().optional(),
});

/** Options of `Bridge.start`. */
export interface BridgeOptions {
  /** Path of an interpreter, or `auto` (the default): the active environment, the one of `bh-bridge setup`, then `python3`. */
  python?: string;
  /** CPU threads of PyTorch (default: PyTorch's choice). The number changes bits. */
  threads?: number | null;
  /** Default device of trainers: `auto` (the default) uses CUDA, else MPS, else the CPU. */
  device?: RunConfig["device"];
  /** Cancels the start, which rejects with `ABORTED` at once. */
  signal?: AbortSignal | undefined;
}

interface Drawn extends Pick<RunConfigInput, "init" | "seed">, CallOptions {
  from?: never;
  /** Seeds of the weights and of the initial embedding (default: `seed`). */
  seeds?: Pick<SeedsInput, "weights" | "init">;
}

type OfFamily<Type extends string, Config> = Drawn & { code?: never } & Pick<Extract<ModelInput, { type?: Type | undefined }>, "norm" | "dtype"> & {
    /** Fields of the model under transformers' names; omitted fields have the defaults of a configuration. */
    config?: Config;
  };

/** A new model: its family, and the fields of its configuration under transformers' names; omitted fields are the notebook's. */
type NewModelOptions =
  | { [Name in FamilyName]: OfFamily<Name, FamilyInput<Name>> & (Name extends typeof defaultFamily ? { type?: Name } : { type: Name }) }[FamilyName]
  | (OfFamily<OtherModelType, Readonly<Record<string, unknown>>> & { type: OtherModelType });

interface SavedModelOptions extends Pick<RunConfigInput, "seed">, CallOptions {
  /** A directory in HF layout, or a file with the weights of a GPT-2. It sets architecture, norm and dtype. */
  from: string;
  type?: never;
  seeds?: never;
  /** Fields that the shapes of the weights do not determine; a file of weights requires at least `n_head`. */
  config?: Omit<GPT2Config, keyof Gpt2Architecture>;
  /** The code of a saved model of your own, which is executed; required unless the model is of a run. */
  code?: string;
  norm?: never;
  dtype?: never;
  init?: never;
}

type OwnModel = Extract<ModelInput, { type: "python" }>;
type OwnModelField = "code" | "class" | "fields" | "embedding" | "vocab_size" | "dtype";

/** A model of one's own: a torch.nn.Module in a Python file. */
interface OwnModelOptions extends Drawn, Pick<OwnModel, OwnModelField> {
  type?: "python";
  config?: never;
  norm?: never;
}

/** Options of `Bridge.createModel`: a new model, a saved one, or one of your own. */
export type ModelOptions = NewModelOptions | SavedModelOptions | OwnModelOptions;

function newModel(options: NewModelOptions | OwnModelOptions): ModelInput {
  if (options.code !== undefined) {
    const { code, fields, embedding, vocab_size, dtype } = options;
    return { type: "python", code, class: options.class, fields, embedding, vocab_size, dtype };
  }
  const { type, config, norm, dtype } = options;
  return { ...(type && { type }), ...config, ...(norm && { norm }), ...(dtype && { dtype }) } as ModelInput; // checked with the rest of the configuration
}

/** A Python process and its models and trainers. Several bridges can be open at once, each with its own process. */
export class Bridge implements AsyncDisposable {
  readonly #session: PythonSession;
  readonly #defaults: Pick<RunConfig, "device" | "threads">;

  private constructor(session: PythonSession, defaults: Pick<RunConfig, "device" | "threads">) {
    this.#session = session;
    this.#defaults = defaults;
  }

  /**
   * Start Python and import PyTorch, which takes 1 to 3 s.
   * @throws {BhBridgeError} `USAGE`, `PYTHON_NOT_FOUND`, `PYTHON_DEPENDENCY_MISSING`, `PROTOCOL_MISMATCH`, `PEER_EXITED`, `ABORTED`.
   */
  static async start(options: BridgeOptions = {}): Promise<Bridge> {
    callArguments("Bridge.start", startArguments, options);
    const { python = "auto", threads = null, device = "auto", signal } = options;
    const wanted: FindPythonOptions = python === "auto" ? {} : { python };
    return Bridge.startWith(await resolvePython(wanted, signal), { threads, device, ...(signal && { signal }) });
  }

  /** Start an interpreter that `resolvePython` has found. @internal */
  static async startWith(
    python: Pick<UsablePython, "path">,
    { threads = null, device = "auto", cores, signal }: Omit<BridgeOptions, "python"> & { cores?: readonly number[] | undefined },
  ): Promise<Bridge> {
    return new Bridge(await PythonSession.start({ python: python.path, threads, device, cores, signal }), { device, threads });
  }

  /**
   * Reset Python before the next of several trainings, so that each has the bits of a fresh process.
   * @internal
   */
  async renew(signal?: AbortSignal): Promise<void> {
    await this.#session.invoke("renew", {}, { signal });
  }

  /** Versions, devices and threads of the Python process. */
  get environment(): PythonEnvironment {
    return this.#session.environment;
  }

  /**
   * Build a model, or load one.
   *
   * Weights are drawn on the CPU from the seed, in the notebook's order: weights, norms, dtype, then the embedding.
   * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; for `{ from }` also the errors of reading the directory.
   */
  // One signature per kind, so that an editor completes the right fields.
  async createModel(options: NewModelOptions): Promise<Model>;
  async createModel(options: SavedModelOptions): Promise<Model>;
  async createModel(options: OwnModelOptions): Promise<Model>;
  async createModel(options: ModelOptions): Promise<Model>;
  async createModel({ signal, ...options }: ModelOptions): Promise<Model> {
    callArguments("createModel", createModelArguments, options);
    const { seed, seeds } = options;
    const model: RunConfigInput =
      options.from !== undefined
        ? {
            model: { ...options.config, ...(options.code !== undefined && { code: options.code }), from: resolve(options.from) } as ModelInput,
            init: { kind: "normal" },
          }
        : { model: newModel(options), ...(options.init && { init: options.init }) };
    const { executable: python } = this.environment;
    const data = { window_length: 2 }; // training chooses it, which some models require
    const { config } = await loadRunConfig({ input: { ...model, data, python, ...(seed !== undefined && { seed }), ...(seeds && { seeds }) } });
    return this.buildModel(config, signal);
  }

  /** Build the model of a complete configuration. @internal */
  async buildModel(plan: ModelPlan, signal?: AbortSignal): Promise<Model> {
    const { model, init, seed, seeds } = plan;
    requireMemory(model);
    using saved = model.from === null ? null : await modelDirectory(model.from, model, this.#session.folder);
    const request = modelRequest(plan, saved?.path ?? null);
    const onAbandoned = (reply?: ReplyOf<"model.create">) => void (reply && this.#session.forget("release", reply.handle));
    const rows = init.kind === "file" ? await readEmbedding(init.path, init) : undefined; // first, so that a wrong path fails at once
    const built = Model.of(this.#session, await this.#session.invoke("model.create", request, { signal, onAbandoned }), { model, init, seed, seeds });
    try {
      if (rows) await built.putTensor(built.embedding, rows, { signal });
      return built;
    } catch (error) {
      await built.close();
      throw error;
    }
  }

  /** Create a trainer from a complete configuration and the facts of its corpus. @internal */
  trainerOf(setup: TrainerSetup): Trainer {
    return Trainer.of(this.#session, setup);
  }

  /**
   * Create a trainer. Its run directory is created when training is prepared.
   * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, `CORPUS_INVALID`, `ABORTED`.
   */
  async createTrainer(options: TrainerOptions): Promise<Trainer> {
    return Trainer.create(this.#session, this.#defaults, options);
  }

  /** End the Python process. Unsaved models are lost. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
