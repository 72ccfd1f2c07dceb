import type { RetrainedConfig } from "../../../src/report/retraining.js";
import { initialWeights, sizeOf } from "./initial-weights.js";
import type { PortableLibrary } from "./library.js";
import { learningRateOf, scalesOf, shapeOf, type TensorPlan, tensorsOf } from "./settings.js";

/** The text of a training: the whole corpus, or only the windows of its first steps, in their order. */
export interface TrainingText {
  readonly kind: "corpus" | "windows";
  readonly tokens: ArrayLike<number> & { slice(from: number, to: number): ArrayLike<number> };
}

/** Pointers of a tensor. */
interface Stored {
  readonly plan: TensorPlan;
  readonly size: number;
  readonly weight: number;
  readonly gradient: number;
  readonly first: number;
  readonly second: number;
  /** 0 without a float32 copy. */
  readonly master: number;
}

/** A training by engine `portable`, step by step. */
export class PortableTraining {
  readonly #library: PortableLibrary;
  readonly #config: RetrainedConfig;
  readonly #trainer: number;
  readonly #tensors: readonly Stored[];
  readonly #weights: number;
  readonly #gradients: number;
  readonly #sizes: number;
  readonly #settings: number;
  readonly #loss: number;
  readonly #isWide: boolean;
  readonly #batches: Iterator<Batch[]>;
  #step = 0;

  constructor(library: PortableLibrary, config: RetrainedConfig, text: TrainingText) {
    this.#library = library;
    this.#config = config;
    const { trainer, sizes } = library.open(shapeOf(config), scalesOf(config));
    const plans = tensorsOf(config);
    if (plans.some(({ shape }, index) => sizeOf(shape) !== sizes[index])) throw new Error("The tensors of the library are not those of the model.");
    const hasMaster = config.model.dtype === "float32-master";
    this.#isWide = hasMaster || config.training.optimizer_state_dtype === "float32";
    const initial = initialWeights(library, config);
    this.#trainer = trainer;
    this.#tensors = plans.map((plan) => this.#store(plan, initial.get(plan.name) ?? new Uint16Array(0), hasMaster));
    this.#weights = library.pointers(this.#tensors.map(({ weight }) => weight));
    this.#gradients = library.pointers(this.#tensors.map(({ gradient }) => gradient));
    this.#sizes = library.sizes(sizes);
    this.#settings = library.allocate(48);
    this.#loss = library.allocate(8);
    this.#batches = batchesOf(library, config, text);
  }

  #store(plan: TensorPlan, initial: Uint16Array, hasMaster: boolean): Stored {
    const size = sizeOf(plan.shape);
    const moment = () => {
      const bytes = size * (this.#isWide ? 4 : 2);
      const memory = this.#library.allocate(bytes);
      this.#library.bytes(memory, bytes).fill(0);
      return memory;
    };
    const stored = { plan, size, weight: this.#library.allocate(2 * size), gradient: this.#library.allocate(2 * size), first: moment(), second: moment() };
    const master = hasMaster ? this.#library.allocate(4 * size) : 0;
    this.#library.words(stored.weight, size).set(initial);
    if (hasMaster) new Uint32Array(this.#library.floats(master, size).buffer, master, size).set(Uint32Array.from(initial, (word) => word << 16));
    return { ...stored, master };
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  /** The embedding, `[vocabulary, hidden]` in bfloat16. A view that the next step changes. */
  get embedding(): Uint16Array {
    const [embedding] = this.#tensors;
    return this.#library.words(embedding?.weight ?? 0, embedding?.size ?? 0);
  }

  /** Make the next step. @returns its loss. */
  next(): number {
    const { training } = this.#config;
    const batches = this.#batches.next();
    if (batches.done) throw new Error("The text has no more windows.");
    const items = batches.value.reduce((sum, { count, length }) => sum + count * length, 0);
    const losses = batches.value.map((batch, index) => this.#add(batch, items, index > 0));
    if (training.max_grad_norm > 0) this.#library.clip(this.#gradients, this.#sizes, this.#tensors.length, training.max_grad_norm);
    this.#step++;
    const settings = {
      learningRate: learningRateOf(this.#config, this.#step),
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      step: this.#step,
    };
    for (const tensor of this.#tensors) {
      const memory = { size: tensor.size, isWide: this.#isWide, memory: this.#settings };
      this.#library.adamw(tensor, memory, { ...settings, weightDecay: tensor.plan.decays ? training.weight_decay : 0 });
    }
    return losses.reduce((sum, loss) => sum + loss, 0);
  }

  #add({ tokens, targets, count, length }: Batch, items: number, accumulate: boolean): number {
    const memory = this.#library.allocate(8 * count * length);
    const targetsAt = memory + 4 * count * length;
    this.#library.integers(memory, count * length).set(tokens);
    this.#library.integers(targetsAt, count * length).set(targets);
    const at = { weights: this.#weights, gradients: this.#gradients, tokens: memory, targets: targetsAt, loss: this.#loss };
    const loss = this.#library.gradients(this.#trainer, at, { batch: count, length, items, accumulate });
    this.#library.free(memory);
    return loss;
  }

  close(): void {
    for (const { weight, gradient, first, second, master } of this.#tensors)
      for (const memory of [weight, gradient, first, second, master]) if (memory !== 0) this.#library.free(memory);
    for (const memory of [this.#weights, this.#gradients, this.#sizes, this.#settings, this.#loss]) this.#library.free(memory);
    this.#library.close(this.#trainer);
  }
}

/** Windows of a batch: tokens and, at each position, the token to predict; −1 for none. */
interface Batch {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  readonly count: number;
  readonly length: number;
}

/** The batches of each step, epoch by epoch: as `Windows` in python/bh_bridge/data/corpus.py. */
function* batchesOf(library: PortableLibrary, config: RetrainedConfig, text: TrainingText): Generator<Batch[]> {
  const { data, training, seed, seeds } = config;
  const length = data.window_length ?? config.model.n_positions;
  const ahead = data.label_shift === "double" ? 1 : 0;
  const isChunked = data.windows === "chunks";
  const span = isChunked ? length + ahead : length + 1;
  const stride = text.kind === "windows" ? span : isChunked ? length : 1;
  const windows = Math.floor((text.tokens.length - span) / stride) + 1;
  const isInOrder = text.kind === "windows" || training.train_sampling_strategy === "sequential";
  const dataSeed = seeds.data ?? seed;
  for (let epoch = 0; text.kind === "corpus" || epoch === 0; epoch++) {
    const order = isInOrder ? undefined : library.permutation(dataSeed + epoch, windows);
    const batches: Batch[] = [];
    for (let from = 0; from < windows; from += training.per_device_train_batch_size) {
      const count = Math.min(training.per_device_train_batch_size, windows - from);
      const isWhole = count === training.per_device_train_batch_size;
      if (!isWhole && training.dataloader_drop_last) break;
      const starts = Array.from({ length: count }, (_, index) => (order?.[from + index] ?? from + index) * stride);
      batches.push(batchOf(text, starts, length, ahead));
      if (batches.length === training.gradient_accumulation_steps) yield batches.splice(0);
    }
    if (batches.length > 0) yield batches;
  }
}

/** Labels begin `ahead` tokens later, and the model shifts them once more. */
function batchOf({ tokens: all }: TrainingText, starts: readonly number[], length: number, ahead: number): Batch {
  const tokens = new Int32Array(starts.length * length);
  const targets = new Int32Array(starts.length * length).fill(-1);
  for (const [index, start] of starts.entries()) {
    tokens.set(all.slice(start, start + length), index * length);
    targets.set(all.slice(start + ahead + 1, start + ahead + length), index * length);
  }
  return { tokens, targets, count: starts.length, length };
}
