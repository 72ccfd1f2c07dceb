import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { z } from "zod";
import { modelSeeds } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { isMatrix, Matrix } from "../formats/matrix.js";
import { generateOptionsSchema, type Handle, type ReplyOf, type RequestOf } from "../protocol/operations.js";
import type { PythonSession } from "../python/python-session.js";
import { callArguments } from "./call-arguments.js";

const tokenRow = z.array(z.int().nonnegative());
const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

const generateArguments = z.strictObject({ tokens: tokenRow, ...generateOptionsSchema.shape, seed: seed.optional() });
const forwardArguments = z.strictObject({ tokens: z.array(tokenRow) });
const tensorArguments = z.strictObject({ name: z.string().min(1) });
const setTensorArguments = z.strictObject({
  name: z.string().min(1),
  matrix: z.custom<Matrix>(isMatrix, "is not a Matrix: take one from model.tensor() or a checkpoint, or make one with new Matrix(dtype, shape, bytes)"),
});
const toArguments = z.strictObject({ device: z.enum(["cpu", "cuda", "mps"]) });

/** The part of a configuration that determines a model. */
export type ModelPlan = Pick<RunConfig, "model" | "init" | "seed" | "seeds"> & Partial<Pick<RunConfig, "engine">>;

/** The request that builds the model of a configuration. @param from directory of its weights in HF layout, null for new weights. */
export function modelRequest(plan: ModelPlan, from: string | null): RequestOf<"model.create"> {
  const { norm, dtype, from: _source, ...architecture } = plan.model;
  const config = JSON.parse(JSON.stringify(architecture)); // drops undefined fields
  const { weights, init } = modelSeeds(plan);
  return { from, config, norm, dtype, init: plan.init, seed: weights, init_seed: init, draws: plan.engine?.name === "portable" ? "portable" : "torch" };
}

/**
 * The absolute path of a directory to save into. Saving may replace an existing directory, so the working directory is refused.
 * @throws {BhBridgeError} `USAGE` for an empty path, and for the working directory or one that holds it: it would be replaced under the program's feet.
 */
export function saveDirectory(directory: string): string {
  if (typeof directory !== "string" || directory.trim() === "") {
    throw new BhBridgeError("USAGE", `directory: ${JSON.stringify(directory) ?? "undefined"} is not the path of a directory. Name the one to save into`);
  }
  const path = resolve(directory);
  if (!relative(path, process.cwd()).startsWith("..")) {
    throw new BhBridgeError("USAGE", `directory: ${path} is the working directory, or contains it. Name a separate directory for the model`);
  }
  return path;
}

/** A tensor of a model: name and shape as in PyTorch, dtype as in safetensors. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "BF16" | "F16" | "F32" | "F64";
}

/** Generation options under transformers' names; greedy by default. */
export interface GenerateOptions {
  max_new_tokens?: number;
  do_sample?: boolean;
  temperature?: number;
  top_k?: number;
  top_p?: number;
  /** Seed of sampling, with `do_sample`. */
  seed?: number;
  signal?: AbortSignal | undefined;
}

/** Options of calls to Python. */
export interface CallOptions {
  /** Cancels the call: it rejects with `ABORTED` at once, and Python stops working on it. */
  signal?: AbortSignal | undefined;
}

/** Options of `Model.save` and `Trainer.saveModel`. */
export interface SaveOptions extends CallOptions {
  /** Replace an unchanged earlier save in this directory. */
  overwrite?: boolean;
}

const defaultNewTokens = 64;

/** A model in Python. @see Bridge.createModel */
export class Model implements AsyncDisposable {
  /** Number of weights, tied ones counted once. */
  readonly parameterCount: number;
  readonly parameters: readonly Parameter[];
  readonly norm: "rmsnorm" | "layernorm" | "native";
  /** Name of the token embedding, the matrix that is recorded. */
  readonly embedding: string;
  /** Name of the output head: the embedding's if both are tied, null for a model without one. */
  readonly head: string | null;
  /** @internal */
  readonly handle: Handle;
  /** The configuration that the model was built from; its runs record it. @internal */
  readonly origin: ModelPlan;
  /** Changes of the weights since, in words, which no configuration contains. @internal */
  readonly changes: string[] = [];
  /** Pending calls that set a tensor. */
  readonly #changing = new Set<Promise<void>>();
  #isInTraining = false;
  readonly #session: PythonSession;
  static #files = 0;

  private constructor(session: PythonSession, reply: ReplyOf<"model.create">, origin: ModelPlan) {
    this.#session = session;
    this.handle = reply.handle;
    this.parameterCount = reply.parameter_count;
    this.parameters = reply.parameters;
    this.norm = reply.norm;
    this.embedding = reply.embedding;
    this.head = reply.head;
    this.origin = origin;
  }

  /** Whether a value is a model of this Python process. @internal */
  static isOf(session: PythonSession, value: unknown): value is Model {
    return value instanceof Model && value.#session === session;
  }

  /** @internal */
  static of(session: PythonSession, reply: ReplyOf<"model.create">, origin: ModelPlan): Model {
    return new Model(session, reply, origin);
  }

  /** Copy one tensor. @throws {BhBridgeError} `TENSOR_NOT_FOUND` with the nearest name. */
  async tensor(name: string, { signal }: CallOptions = {}): Promise<Matrix> {
    callArguments("model.tensor", tensorArguments, { name });
    return this.#receive((path, onAbandoned) => this.#session.invoke("model.tensor", { handle: this.handle, name, path }, { signal, onAbandoned }));
  }

  /**
   * Replace the values of one tensor. Another dtype is rounded to the model's.
   * @param matrix has the shape of the tensor.
   * @throws {BhBridgeError} `TENSOR_NOT_FOUND`, or `CONFIG_INVALID` for another shape.
   */
  async setTensor(name: string, matrix: Matrix, options: CallOptions = {}): Promise<void> {
    callArguments("model.setTensor", setTensorArguments, { name, matrix });
    const change = this.#change(name, matrix, options);
    this.#changing.add(change);
    await change.finally(() => this.#changing.delete(change));
  }

  async #change(name: string, matrix: Matrix, options: CallOptions): Promise<void> {
    try {
      await this.putTensor(name, matrix, options);
      this.changes.push(`${name} was set`);
    } catch (error) {
      if (options.signal?.aborted) this.changes.push(`${name} may have been set: the call was cancelled`);
      throw error;
    }
  }

  /** Wait until all calls that set a tensor have ended, so that `changes` is complete. @internal */
  async settled(): Promise<void> {
    while (this.#changing.size > 0) await Promise.allSettled(this.#changing);
  }

  /** Reserve the model for one training, until the result is disposed of. @throws {BhBridgeError} `USAGE` during another training. @internal */
  beginTraining(): Disposable {
    if (this.#isInTraining) {
      throw new BhBridgeError("USAGE", "this model is being trained by another trainer: wait until that train() has ended, or create another model");
    }
    this.#isInTraining = true;
    return {
      [Symbol.dispose]: () => {
        this.#isInTraining = false;
      },
    };
  }

  /** Set a tensor as part of the configuration, without recording a change. @internal */
  async putTensor(name: string, matrix: Matrix, { signal }: CallOptions = {}): Promise<void> {
    const path = this.#temporaryPath();
    writeFileSync(path, matrix.bytes);
    try {
      const { dtype, shape } = matrix;
      await this.#session.invoke("model.set_tensor", { handle: this.handle, name, path, dtype, shape: [...shape] }, { signal });
    } finally {
      rmSync(path, { force: true });
    }
  }

  /**
   * Run the model on token ids, without dropout.
   * @param tokens `[batch][tokens]`, every row of the same length, at most as many tokens as the model has positions.
   * @returns logits, `[batch, tokens, vocab_size]`.
   */
  async forward(tokens: readonly (readonly number[])[], { signal }: CallOptions = {}): Promise<Matrix> {
    const batch = callArguments("model.forward", forwardArguments, { tokens });
    return this.#receive((path, onAbandoned) => this.#session.invoke("model.forward", { handle: this.handle, ...batch, path }, { signal, onAbandoned }));
  }

  /**
   * Continue a prompt.
   * @param tokens ids of the prompt; for a model of bytes, `[...Buffer.from("text")]`.
   * @returns the prompt and its continuation.
   */
  async generate(tokens: readonly number[], { signal, ...given }: GenerateOptions = {}): Promise<number[]> {
    const { tokens: prompt, seed = null, ...chosen } = callArguments("model.generate", generateArguments, { ...given, tokens });
    const options = { max_new_tokens: defaultNewTokens, do_sample: false, ...chosen };
    const reply = await this.#session.invoke("model.generate", { handle: this.handle, tokens: prompt, options, seed }, { signal });
    return reply.tokens;
  }

  /**
   * Save in HF layout. `transformers` loads the directory; replaced norms require `trust_remote_code=True`.
   * @param directory a new or empty directory, or with `overwrite` an earlier save that matches the checksums of its `MANIFEST.json`.
   * @throws {BhBridgeError} `FILE_UNWRITABLE` naming other content; `USAGE` for an empty path and for the working directory.
   */
  async save(directory: string, { overwrite = false, signal }: SaveOptions = {}): Promise<void> {
    await this.#session.invoke("model.save", { handle: this.handle, directory: saveDirectory(directory), overwrite }, { signal });
  }

  /** Move the model to a device. Trainers do this automatically. @throws {BhBridgeError} `DEVICE_UNAVAILABLE`. */
  async to(device: "cpu" | "cuda" | "mps", { signal }: CallOptions = {}): Promise<void> {
    callArguments("model.to", toArguments, { device });
    await this.#session.invoke("model.to", { handle: this.handle, device }, { signal });
  }

  /** Release the model in Python. Every later call fails with `HANDLE_STALE`. */
  async close(): Promise<void> {
    await this.#session.forget("release", this.handle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #temporaryPath(): string {
    return join(this.#session.folder, `tensor-${Model.#files++}`);
  }

  /** Tensors are transferred as files: 4 MB take milliseconds, as JSON seconds. */
  async #receive(call: (path: string, onAbandoned: () => void) => Promise<ReplyOf<"model.tensor">>): Promise<Matrix> {
    const path = this.#temporaryPath();
    const remove = () => rmSync(path, { force: true });
    try {
      const { dtype, shape } = await call(path, remove);
      const { buffer, byteOffset, byteLength } = readFileSync(path);
      return new Matrix(dtype, shape, new Uint8Array(buffer, byteOffset, byteLength));
    } finally {
      remove();
    }
  }
}
