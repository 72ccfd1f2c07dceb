// Does with WebAssembly what train_models.c does with other builds, and returns the same lines. Runs in Node and in a browser.

const SHAPE = 16; // int32 fields of bh_shape, before two float32
const names = (model) => Object.keys(model).slice(1);

class Hash {
  a = 2166136261;
  b = 1;

  add(bytes) {
    for (let i = 0; i + 1 < bytes.length; i += 2) {
      const word = bytes[i] | (bytes[i + 1] << 8);
      this.a = Math.imul(this.a ^ word, 16777619);
      this.b = Math.imul(this.b + word, 2654435769);
      this.b ^= this.b >>> 15;
    }
  }

  /** A NaN may have any sign and payload where C returns it as a number. */
  addDouble(x) {
    const bits = BigUint64Array.of(0x7ff8000000000000n);
    if (!Number.isNaN(x)) new Float64Array(bits.buffer)[0] = x;
    this.add(new Uint8Array(bits.buffer));
  }

  line(name, number) {
    const hex = (x) => (x >>> 0).toString(16).padStart(8, "0");
    return `${name} ${number} ${hex(this.a)}${hex(this.b)}`;
  }
}

/** 0: ordinary; 1: huge; 2: tiny; 3: subnormal; 4: some NaN; 5: some infinite; 6: anything. */
function drawWeight(random, kind) {
  const r = random();
  let [exponent, mantissa] = [0x75 + (r % 8), (r >>> 8) & 0x7f];
  const odd = (r >>> 15) % 64 === 0;
  if (kind === 1) exponent = 0xd0 + (r % 0x2f);
  if (kind === 2) exponent = 1 + (r % 0x50);
  if (kind === 3) exponent = 0;
  if (kind === 4 && odd) exponent = 0xff;
  if (kind === 5 && odd) [exponent, mantissa] = [0xff, 0];
  if (kind === 6) exponent = r & 0xff;
  return ((r >>> 31) << 15) | (exponent << 7) | mantissa;
}

/** Memory of the library. Views are made when used, because the memory moves when it grows. */
class Arena {
  addresses = [];

  constructor(library) {
    this.library = library;
  }

  allocate(bytes) {
    const address = this.library.bh_allocate(BigInt(Math.max(bytes, 1)));
    this.addresses.push(address);
    this.bytes(address, bytes).fill(0);
    return address;
  }

  bytes(address, count) {
    return new Uint8Array(this.library.memory.buffer, address, count);
  }

  put(Type, values) {
    const data = Type.from(values);
    const address = this.allocate(data.byteLength);
    new Type(this.library.memory.buffer, address, data.length).set(data);
    return address;
  }

  free() {
    for (const address of this.addresses) this.library.bh_free(address);
  }
}

class Training {
  constructor(library, model, number, kind) {
    Object.assign(this, { library, model, hash: new Hash(), memory: new Arena(library) });
    const { memory } = this;
    this.stream = memory.allocate(4 * 625);
    library.bh_seed(this.stream, BigInt(1000 + number));
    this.random = () => library.bh_random(this.stream) >>> 0;
    const fields = names(model).map((name) => model[name]);
    const shape = memory.allocate(4 * (SHAPE + 2));
    new Int32Array(library.memory.buffer, shape, SHAPE).set(fields.slice(0, SHAPE));
    new Float32Array(library.memory.buffer, shape + 4 * SHAPE, 2).set(fields.slice(SHAPE, SHAPE + 2));
    const scales = Array.from({ length: model.layers }, (_, i) => Math.fround(Math.fround(0.3) / Math.fround(i + 1)));
    this.trainer = library.bh_open(shape, memory.put(Float32Array, scales), 1);
    if (this.trainer === 0) throw new Error(`bh_open refuses model ${number}`);
    this.tensors = Array.from({ length: library.bh_tensor_count(this.trainer) }, (_, i) => this.tensor(i, kind));
    this.weights = memory.put(
      Uint32Array,
      this.tensors.map(({ weight }) => weight),
    );
    this.gradients = memory.put(
      Uint32Array,
      this.tensors.map(({ gradient }) => gradient),
    );
    this.sizes = memory.put(
      BigInt64Array,
      this.tensors.map(({ size }) => BigInt(size)),
    );
    this.tokens = memory.allocate(4 * model.batch * model.length);
    this.targets = memory.allocate(4 * model.batch * model.length);
    this.loss = memory.allocate(8);
    this.settings = memory.allocate(48);
  }

  tensor(index, kind) {
    const { library, memory, model, random } = this;
    const size = Number(library.bh_tensor_size(this.trainer, index));
    const words = Uint16Array.from({ length: size }, () => drawWeight(random, kind));
    const master = model.master
      ? memory.put(
          Uint32Array,
          Array.from(words, (word) => word * 65536),
        )
      : 0;
    const zeros = () => memory.allocate((model.wide ? 4 : 2) * size);
    return { size, weight: memory.put(Uint16Array, words), gradient: memory.allocate(2 * size), first: zeros(), second: zeros(), master };
  }

  drawBatch() {
    const { library, model } = this;
    const [tokens, targets] = [this.tokens, this.targets].map((at) => new Int32Array(library.memory.buffer, at, model.batch * model.length));
    let items = 1;
    for (let i = 0; i < tokens.length; i++) {
      tokens[i] = this.random() % model.vocabulary;
      const target = this.random() % (model.vocabulary + 3);
      targets[i] = target < model.vocabulary ? target : -1;
      if (target < model.vocabulary) items++;
    }
    return items;
  }

  step(step) {
    const { library, memory, model, hash } = this;
    const wide = model.wide ? 4 : 2;
    for (let part = 0; part <= model.twice; part++) {
      const items = this.drawBatch();
      const inputs = [this.weights, this.gradients, this.tokens, this.targets, model.batch, model.length];
      if (library.bh_gradients(this.trainer, ...inputs, items, part, this.loss) !== 0) throw new Error("bh_gradients refuses a batch");
      hash.addDouble(new DataView(library.memory.buffer).getFloat64(this.loss, true));
    }
    for (const { size, gradient } of this.tensors) hash.add(memory.bytes(gradient, 2 * size));
    hash.addDouble(library.bh_clip(this.gradients, this.sizes, this.tensors.length, 0.5));
    for (const [i, { size, weight, gradient, first, second, master }] of this.tensors.entries()) {
      const settings = new DataView(library.memory.buffer, this.settings);
      for (const [at, value] of [0.01 / step, 0.9, 0.999, 1e-8, i % 2 ? 0.1 : 0].entries()) settings.setFloat64(8 * at, value, true);
      settings.setBigInt64(40, BigInt(step), true);
      library.bh_adamw(weight, gradient, first, second, master, BigInt(size), model.wide, this.settings);
      hash.add(memory.bytes(weight, 2 * size));
      hash.add(memory.bytes(first, wide * size));
      hash.add(memory.bytes(second, wide * size));
      if (master !== 0) hash.add(memory.bytes(master, 4 * size));
    }
  }

  close() {
    this.library.bh_close(this.trainer);
    this.memory.free();
  }
}

function draws(library) {
  const memory = new Arena(library);
  const hash = new Hash();
  const [stream, values, order] = [4 * 625, 6400, 4004].map((bytes) => memory.allocate(bytes));
  const addValues = () => hash.add(memory.bytes(values, 6400));
  for (let i = 0; i < 4; i++) {
    library.bh_seed(stream, BigInt(7919 * i));
    library.bh_uniforms(stream, values, 1600n);
    addValues();
    library.bh_normals(values, 1600n);
    addValues();
    library.bh_unit_vector(values, BigInt(1600 - 7 * i), i % 2);
    addValues();
    const count = 1001 - 500 * (i % 2);
    library.bh_permutation(BigInt(7919 * i), order, BigInt(count));
    hash.add(memory.bytes(order, 4 * count));
  }
  memory.free();
  return hash.line("draws", 0);
}

/**
 * Trains every model for some steps, then takes two steps from each of some hard starts.
 * @param library the exports of portable.wasm, initialized
 */
export function trainModels(library, models, steps, starts) {
  const check = BigInt.asUintN(64, library.bh_self_check()).toString(16).padStart(16, "0");
  const lines = [`check 0 ${check}`, draws(library)];
  for (const [number, model] of models.entries()) {
    const training = new Training(library, model, number, 0);
    for (let step = 1; step <= steps; step++) {
      training.step(step);
      lines.push(training.hash.line("model", 100 * number + step));
    }
    training.close();
  }
  for (let i = 0; i < starts; i++) {
    const training = new Training(library, models[i % models.length], models.length + i, 1 + (Math.floor(i / models.length) % 6));
    for (const step of [1, 2]) training.step(step);
    lines.push(training.hash.line("start", models.length + i));
    training.close();
  }
  return lines;
}
