/** The architecture of a model, in the order of `bh_shape` in native/portable.h. */
export interface Shape {
  readonly vocabulary: number;
  readonly positions: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly inner: number;
  readonly norm: 0 | 1;
  readonly mlp: 0 | 1;
  readonly rope: 0 | 1;
  readonly headNorm: 0 | 1;
  readonly attentionBias: 0 | 1;
  readonly mlpBias: 0 | 1;
  readonly outFirst: 0 | 1;
  readonly tied: 0 | 1;
  readonly epsilon: number;
  readonly ropeTheta: number;
}

/** Settings of AdamW for one tensor and one step, in the order of `bh_adamw_settings`. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Of this update, from 1. */
  readonly step: number;
}

const wholeFields = [
  "vocabulary",
  "positions",
  "hidden",
  "layers",
  "heads",
  "kvHeads",
  "headSize",
  "inner",
  "norm",
  "mlp",
  "rope",
  "headNorm",
  "attentionBias",
  "mlpBias",
  "outFirst",
  "tied",
] as const satisfies (keyof Shape)[];

/** The functions of native/portable.h. Pointers are numbers, 64-bit integers are bigints. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  bh_recipe(): number;
  bh_self_check(): bigint;
  bh_open(shape: number, scales: number, threads: number): number;
  bh_close(trainer: number): void;
  bh_tensor_count(trainer: number): number;
  bh_tensor_size(trainer: number, index: number): bigint;
  bh_gradients(
    ...given: [
      trainer: number,
      weights: number,
      gradients: number,
      tokens: number,
      targets: number,
      batch: number,
      length: number,
      items: number,
      accumulate: number,
      loss: number,
    ]
  ): number;
  bh_clip(gradients: number, sizes: number, count: number, most: number): number;
  bh_adamw(...given: [weight: number, gradient: number, first: number, second: number, master: number, size: bigint, wide: number, settings: number]): void;
  bh_normals(values: number, count: bigint): void;
  bh_unit_vector(values: number, count: bigint, narrow: number): void;
  bh_seed(stream: number, seed: bigint): void;
  bh_uniforms(stream: number, values: number, count: bigint): void;
  bh_permutation(seed: bigint, order: number, count: bigint): void;
  bh_allocate(bytes: bigint): number;
  bh_free(memory: number): void;
}

/** Bytes of a `bh_stream`: 624 words and an index. */
const streamBytes = 625 * 4;

/** Engine `portable` as WebAssembly: its functions, and arrays in its memory. An array is addressed by its pointer. */
export class PortableLibrary {
  readonly #exports: Exports;

  private constructor(exports: Exports) {
    this.#exports = exports;
  }

  /** @param bytes of portable.wasm. @throws if they are no module of this recipe, or its self-check fails. */
  static async load(bytes: ArrayBuffer): Promise<PortableLibrary> {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    (instance.exports as { _initialize?: () => void })._initialize?.();
    return new PortableLibrary(instance.exports as unknown as Exports);
  }

  get recipe(): number {
    return this.#exports.bh_recipe();
  }

  /** Hash of a small fixed training, equal for all builds. */
  selfCheck(): bigint {
    return BigInt.asUintN(64, this.#exports.bh_self_check());
  }

  allocate(bytes: number): number {
    const memory = this.#exports.bh_allocate(BigInt(bytes));
    if (memory === 0) throw new Error(`There is no memory for ${bytes} bytes.`);
    return memory;
  }

  free(memory: number): void {
    this.#exports.bh_free(memory);
  }

  /** Views are valid until the next allocation, which may move the memory. */
  words(memory: number, count: number): Uint16Array {
    return new Uint16Array(this.#exports.memory.buffer, memory, count);
  }

  bytes(memory: number, count: number): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, memory, count);
  }

  floats(memory: number, count: number): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, memory, count);
  }

  doubles(memory: number, count: number): Float64Array {
    return new Float64Array(this.#exports.memory.buffer, memory, count);
  }

  integers(memory: number, count: number): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, memory, count);
  }

  /** An array of pointers. */
  pointers(of: readonly number[]): number {
    const memory = this.allocate(4 * of.length);
    this.integers(memory, of.length).set(of);
    return memory;
  }

  /** An array of 64-bit integers. */
  sizes(of: readonly number[]): number {
    const memory = this.allocate(8 * of.length);
    new BigInt64Array(this.#exports.memory.buffer, memory, of.length).set(of.map(BigInt));
    return memory;
  }

  /** A trainer, and the number of elements of each tensor of its model. @param scales of the attention scores of each layer. */
  open(shape: Shape, scales: readonly number[]): { readonly trainer: number; readonly sizes: readonly number[] } {
    const { epsilon, ropeTheta } = shape;
    const integers = wholeFields.map((field) => shape[field]);
    const memory = this.allocate(4 * (integers.length + 2 + scales.length));
    this.integers(memory, integers.length).set(integers);
    const floats = memory + 4 * integers.length;
    this.floats(floats, 2 + scales.length).set([epsilon, ropeTheta, ...scales]);
    const trainer = this.#exports.bh_open(memory, floats + 8, 1);
    this.free(memory);
    if (trainer === 0) throw new Error("This model cannot be trained here: its shape is not supported, or memory is missing.");
    const count = this.#exports.bh_tensor_count(trainer);
    return { trainer, sizes: Array.from({ length: count }, (_, index) => Number(this.#exports.bh_tensor_size(trainer, index))) };
  }

  close(trainer: number): void {
    this.#exports.bh_close(trainer);
  }

  /** Loss and gradients of a batch. All of `at` are pointers. @returns the loss. */
  gradients(
    trainer: number,
    at: { weights: number; gradients: number; tokens: number; targets: number; loss: number },
    { batch, length, items, accumulate }: { batch: number; length: number; items: number; accumulate: boolean },
  ): number {
    const { weights, gradients, tokens, targets, loss } = at;
    const problem = this.#exports.bh_gradients(trainer, weights, gradients, tokens, targets, batch, length, items, accumulate ? 1 : 0, loss);
    if (problem !== 0) throw new Error("The gradients of a batch could not be computed: a token is out of range, or memory is missing.");
    return this.doubles(loss, 1)[0] ?? Number.NaN;
  }

  /** @returns the norm before clipping. */
  clip(gradients: number, sizes: number, count: number, most: number): number {
    return this.#exports.bh_clip(gradients, sizes, count, most);
  }

  /** @param memory of the settings: six numbers. */
  adamw(
    at: { weight: number; gradient: number; first: number; second: number; master: number },
    { size, isWide, memory }: { size: number; isWide: boolean; memory: number },
    settings: AdamSettings,
  ): void {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step } = settings;
    this.doubles(memory, 5).set([learningRate, beta1, beta2, epsilon, weightDecay]);
    new BigInt64Array(this.#exports.memory.buffer, memory + 40, 1)[0] = BigInt(step);
    this.#exports.bh_adamw(at.weight, at.gradient, at.first, at.second, at.master, BigInt(size), isWide ? 1 : 0, memory);
  }

  /** The random numbers of a seed, as torch draws them on the CPU. */
  stream(seed: number): RandomStream {
    return new RandomStream(this, this.#exports, seed);
  }

  /** As torch.randperm of a generator with this seed. */
  permutation(seed: number, count: number): Int32Array {
    const memory = this.allocate(4 * count);
    this.#exports.bh_permutation(BigInt(seed), memory, BigInt(count));
    const order = this.integers(memory, count).slice();
    this.free(memory);
    return order;
  }
}

/** torch's CPU generator, with normal numbers by the recipe of native/README.md. */
export class RandomStream {
  readonly #library: PortableLibrary;
  readonly #exports: Exports;
  readonly #state: number;

  constructor(library: PortableLibrary, exports: Exports, seed: number) {
    this.#library = library;
    this.#exports = exports;
    this.#state = library.allocate(streamBytes);
    exports.bh_seed(this.#state, BigInt.asUintN(64, BigInt(seed)));
  }

  uniforms(count: number): Float32Array {
    return this.#drawn(count, (values) => this.#exports.bh_uniforms(this.#state, values, BigInt(count)));
  }

  /** Standard normal numbers: groups of 16 from as many uniform numbers. The last 16 are drawn again if the count is no multiple of 16. */
  normals(count: number): Float32Array {
    const groups = count - (count % group);
    const drawn = this.#drawn(count, (values) => {
      this.#exports.bh_uniforms(this.#state, values, BigInt(count));
      this.#exports.bh_normals(values, BigInt(groups));
    });
    if (groups === count) return drawn;
    const last = this.#drawn(group, (values) => {
      this.#exports.bh_uniforms(this.#state, values, BigInt(group));
      this.#exports.bh_normals(values, BigInt(group));
    });
    const replaced = Math.min(group, count);
    drawn.set(last.subarray(0, replaced), count - replaced);
    return drawn;
  }

  /** A vector of normal numbers divided by its Euclidean norm. */
  unitVector(count: number): Float32Array {
    const vector = this.normals(count);
    return this.#drawn(count, (values) => {
      this.#library.floats(values, count).set(vector);
      this.#exports.bh_unit_vector(values, BigInt(count), 0);
    });
  }

  free(): void {
    this.#library.free(this.#state);
  }

  #drawn(count: number, fill: (values: number) => void): Float32Array {
    const memory = this.#library.allocate(4 * count);
    fill(memory);
    const values = this.#library.floats(memory, count).slice();
    this.#library.free(memory);
    return values;
  }
}

const group = 16;

/** Round float32 numbers to the nearest bfloat16, ties to even; every NaN becomes 0x7fc0. */
export function bfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return 0x7fc0;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
