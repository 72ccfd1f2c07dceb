// Runs engine portable as WebAssembly for Python: node wasm_process.mjs FILE. web_assembly.py writes requests to stdin and reads replies from stdout.
// A message is two uint32 (bytes of the JSON, bytes of the data), the JSON, and the data. It ends with its stdin, so with its parent.
import { readFileSync, readSync, writeSync } from "node:fs";

const library = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2]))).exports;
library._initialize?.();

process.on("SIGINT", () => undefined); // Ctrl-C reaches the whole process group, but the training decides when to end

const trainers = new Map();

/** Fills a buffer from stdin; false at its end. */
function receive(buffer) {
  for (let filled = 0; filled < buffer.length; ) {
    const count = readSync(0, buffer, filled, buffer.length - filled, null);
    if (count === 0) return false;
    filled += count;
  }
  return true;
}

function send(header, ...data) {
  const json = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(
    data.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  for (const part of [lengths, json, ...data]) for (let sent = 0; sent < part.length; ) sent += writeSync(1, part, sent);
}

/** Memory of the library for a number of bytes. */
function allocate(bytes) {
  const address = library.bh_allocate(BigInt(bytes));
  if (address === 0) throw new Error(`WebAssembly has no memory for ${bytes} bytes more`);
  return address;
}

/** Bytes of the library's memory. Views end when the memory grows, so they are made for each use. */
const bytesAt = (address, count) => new Uint8Array(library.memory.buffer, address, count);

/** Copies parts into new memory, calls `use` with their addresses, and frees them. */
function lend(parts, use) {
  const addresses = parts.map((part) => (part === null ? 0 : allocate(part.length)));
  try {
    for (const [index, part] of parts.entries()) if (part !== null) bytesAt(addresses[index], part.length).set(part);
    return use(addresses);
  } finally {
    for (const address of addresses) library.bh_free(address);
  }
}

/** An array of the addresses of consecutive bfloat16 tensors. */
function pointers(first, sizes) {
  const address = allocate(4 * sizes.length);
  const view = new DataView(library.memory.buffer, address);
  let at = first;
  sizes.forEach((size, index) => {
    view.setUint32(4 * index, at, true);
    at += 2 * size;
  });
  return address;
}

const total = (sizes) => sizes.reduce((sum, size) => sum + size, 0);

function openTrainer({ layers }, data) {
  const shape = data.subarray(0, data.length - 4 * layers);
  const handle = lend([shape, data.subarray(shape.length)], ([at, scales]) => library.bh_open(at, scales, 1));
  if (handle === 0) return { refused: true };
  const sizes = Array.from({ length: library.bh_tensor_count(handle) }, (_, index) => Number(library.bh_tensor_size(handle, index)));
  const [weights, gradients] = [allocate(2 * total(sizes)), allocate(2 * total(sizes))];
  const trainer = { handle, sizes, weights, gradients, weightPointers: pointers(weights, sizes), gradientPointers: pointers(gradients, sizes) };
  trainers.set(handle, trainer);
  return { trainer: handle, sizes };
}

function closeTrainer({ trainer }) {
  const { handle, ...memory } = trainers.get(trainer);
  library.bh_close(handle);
  for (const name of ["weights", "gradients", "weightPointers", "gradientPointers"]) library.bh_free(memory[name]);
  trainers.delete(trainer);
  return {};
}

/** The data are tokens, targets, weights and, to accumulate, gradients. Returns the loss and the gradients. */
function gradients({ trainer, batch, length, items, computes, accumulate }, data) {
  const { handle, sizes, ...memory } = trainers.get(trainer);
  const [inputs, model] = [4 * batch * length, 2 * total(sizes)];
  bytesAt(memory.weights, model).set(data.subarray(2 * inputs, 2 * inputs + model));
  if (accumulate) bytesAt(memory.gradients, model).set(data.subarray(2 * inputs + model));
  return lend([data.subarray(0, inputs), data.subarray(inputs, 2 * inputs), new Uint8Array(8)], ([tokens, targets, loss]) => {
    const into = computes ? memory.gradientPointers : 0;
    const code = library.bh_gradients(handle, memory.weightPointers, into, tokens, targets, batch, length, items, accumulate ? 1 : 0, loss);
    if (code !== 0) return { refused: true };
    return [{}, bytesAt(loss, 8).slice(), ...(computes ? [bytesAt(memory.gradients, model)] : [])];
  });
}

/** Returns the norm as bytes of a float32, and the gradients. */
function clip({ sizes, maxNorm }, data) {
  return lend([data], ([first]) => {
    const addresses = pointers(first, sizes);
    const counts = Buffer.from(BigInt64Array.from(sizes, BigInt).buffer);
    try {
      const norm = lend([counts], ([at]) => library.bh_clip(addresses, at, sizes.length, maxNorm));
      return [{}, new Uint8Array(Float32Array.of(norm).buffer), bytesAt(first, data.length).slice()];
    } finally {
      library.bh_free(addresses);
    }
  });
}

/** The data are the settings, weight, gradient, moments and, if there is one, the float32 master. Returns all but the settings. */
function adamw({ size, wide, master }, data) {
  const sizes = [48, 2 * size, 2 * size, (wide ? 4 : 2) * size, (wide ? 4 : 2) * size, master ? 4 * size : 0];
  let end = 0;
  const parts = sizes.map((count) => {
    end += count;
    return count === 0 && size > 0 ? null : data.subarray(end - count, end);
  });
  return lend(parts, ([settings, ...tensors]) => {
    library.bh_adamw(...tensors, BigInt(size), wide ? 1 : 0, settings);
    return [{}, ...tensors.map((address, index) => bytesAt(address, sizes[index + 1]).slice())];
  });
}

/** Changes float32 numbers in place. */
function change(data, call) {
  return lend([data], ([address]) => {
    call(address, BigInt(data.length / 4));
    return [{}, bytesAt(address, data.length).slice()];
  });
}

const operations = {
  recipe: () => ({ recipe: library.bh_recipe() }),
  selfCheck: () => ({ hash: BigInt.asUintN(64, library.bh_self_check()).toString(16).padStart(16, "0") }),
  open: openTrainer,
  close: closeTrainer,
  gradients,
  clip,
  adamw,
  normals: (_, data) => change(data, (address, count) => library.bh_normals(address, count)),
  unitVector: ({ narrow }, data) => change(data, (address, count) => library.bh_unit_vector(address, count, narrow ? 1 : 0)),
};

const lengths = Buffer.alloc(8);
let room = Buffer.alloc(0);
while (receive(lengths)) {
  const header = Buffer.alloc(lengths.readUInt32LE(0));
  const bytes = lengths.readUInt32LE(4);
  if (room.length < bytes) room = Buffer.alloc(bytes);
  const data = room.subarray(0, bytes);
  if (!receive(header) || !receive(data)) break;
  const request = JSON.parse(header.toString());
  try {
    const reply = operations[request.do](request, data);
    send(...(Array.isArray(reply) ? reply : [reply]));
  } catch (error) {
    send({ error: String(error) });
  }
}
