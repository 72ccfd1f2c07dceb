import { createHash } from "node:crypto";
import { BhBridgeError, type ErrorCode } from "../../errors.js";
import { outstandingEmbedding } from "../../formats/find-tensor.js";
import { type Dtype, itemSizes, Matrix } from "../../formats/matrix.js";
import { isReadable, rowsAndColumns, type TensorInfo } from "../../formats/stored-tensor.js";
import type { FoundCheckpoint, OpenCheckpoint, WeightFile } from "./find-series.js";

/** Sampled rows of one tensor. */
export interface TensorSample {
  readonly tensor: string;
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
  readonly of: number;
}

/** One file of a checkpoint, or all of it if it has one file. */
export interface FileFacts {
  readonly name: string;
  /** Equal for equal weights; null if neither all bytes were read nor a server reports a hash. */
  readonly hash: string | null;
  /** Equal if all sampled bits are equal. */
  readonly sampleHash: string;
  /** The embedding, if it is in this file, and the largest other matrix. */
  readonly samples: readonly TensorSample[];
}

/** What was read of one checkpoint. */
export interface CheckpointFacts {
  readonly found: FoundCheckpoint;
  readonly bytes: number;
  readonly bytesRead: number;
  /** dtype and shape by tensor. */
  readonly layout: ReadonlyMap<string, string>;
  readonly files: readonly FileFacts[];
  /** Equal for equal weights; null as in `FileFacts`. */
  readonly weights: string | null;
  readonly embedding: string | null;
  /** Root mean square of the sampled embedding. */
  readonly rms: number | null;
  readonly notFinite: readonly string[];
  readonly limits: readonly string[];
  /** Why it could not be read. */
  readonly fault?: { readonly kind: "missing" | "damaged"; readonly message: string };
}

const faults: Partial<Record<ErrorCode, "missing" | "damaged">> = { FILE_NOT_FOUND: "missing", FORMAT_INVALID: "damaged" };
const pieceBytes = 4 * 2 ** 20;

/**
 * Read one checkpoint. A missing or damaged file is a fact, not an error.
 * @param isWhole read all tensors, not only the sampled rows.
 * @throws {BhBridgeError} `ABORTED`; `FORMAT_UNSUPPORTED`, `FILE_UNREADABLE`, `IO_FAILED` for what says nothing about the checkpoint.
 */
export async function readCheckpoint(found: FoundCheckpoint, isWhole: boolean, signal?: AbortSignal): Promise<CheckpointFacts> {
  const reading = new Reading(isWhole, signal);
  try {
    const opened = await found.open();
    try {
      return { found, ...(await reading.facts(opened)), bytesRead: found.bytesReceived?.() ?? reading.bytesRead };
    } finally {
      opened.close();
    }
  } catch (error) {
    const kind = error instanceof BhBridgeError ? faults[error.code] : undefined;
    if (kind === undefined || !(error instanceof BhBridgeError)) throw error;
    const nothing = { bytes: 0, layout: new Map(), files: [], weights: null, embedding: null, rms: null, notFinite: [], limits: [] };
    return { found, ...nothing, bytesRead: found.bytesReceived?.() ?? reading.bytesRead, fault: { kind, message: error.message } };
  }
}

class Reading {
  bytesRead = 0;
  readonly #isWhole: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #notFinite = new Set<string>();
  readonly #limits: string[] = [];
  #most = mostElements;

  constructor(isWhole: boolean, signal: AbortSignal | undefined) {
    this.#isWhole = isWhole;
    this.#signal = signal;
  }

  async facts({ files: open, limits = [] }: OpenCheckpoint): Promise<Omit<CheckpointFacts, "found" | "bytesRead">> {
    const tensors = open.flatMap((file) => file.tensors);
    const embedding = outstandingEmbedding(tensors.filter(isSampled)) ?? largest(tensors.filter(isSampled));
    this.#most = Math.max(leastElements, mostElements / Math.sqrt(open.length));
    const digests = new Map<string, string>();
    const files: FileFacts[] = [];
    for (const file of open) files.push(await this.#file(file, embedding?.name, digests));
    const sample = files.flatMap(({ samples }) => samples).find(({ tensor }) => tensor === embedding?.name);
    const hashes = files.map(({ hash }) => hash);
    return {
      files,
      bytes: open.reduce((sum, { bytes }) => sum + bytes, 0),
      layout: new Map(tensors.map(({ name, dtype, shape }) => [name, `${dtype} [${shape.join(", ")}]`])),
      weights: this.#isWhole ? digestOf(digests) : hashes.includes(null) || hashes.length === 0 ? null : hashes.join(),
      embedding: embedding?.name ?? null,
      rms: sample ? Math.sqrt(sample.values.reduce((sum, value) => sum + value * value, 0) / sample.values.length) : null,
      notFinite: [...this.#notFinite],
      limits: [...limits, ...this.#limits],
    };
  }

  async #file(file: WeightFile, embedding: string | undefined, digests: Map<string, string>): Promise<FileFacts> {
    const own = new Map<string, string>();
    if (this.#isWhole) {
      for (const tensor of file.tensors) own.set(tensor.name, await this.#digest(file, tensor));
      for (const [name, digest] of own) digests.set(name, digest);
    }
    const candidates = file.tensors.filter(isSampled);
    const chosen = [candidates.find(({ name }) => name === embedding), largest(candidates.filter(({ name }) => name !== embedding))];
    const hash = createHash("sha256");
    const samples: TensorSample[] = [];
    for (const tensor of chosen) if (tensor) samples.push(await this.#sample(file, tensor, (bytes) => hash.update(bytes)));
    return { name: file.name, hash: this.#isWhole ? digestOf(own) : file.hash, sampleHash: hash.digest("hex"), samples };
  }

  async #digest(file: WeightFile, tensor: TensorInfo): Promise<string> {
    const { name, dtype, shape } = tensor;
    const hash = createHash("sha256").update(`${dtype} [${shape.join(", ")}]\n`);
    if (!isReadable(tensor)) {
      this.#limits.push(`${name} of ${file.name} is not compared: ${tensor.unreadable ?? `its dtype ${dtype} cannot be read`}`);
      return hash.digest("hex");
    }
    const { rows, columns } = rowsAndColumns(shape);
    const step = Math.max(1, Math.floor(pieceBytes / Math.max(1, columns * itemSizes[dtype as Dtype])));
    for (let first = 0; first < rows; first += step) hash.update(await this.#read(file, tensor, first, Math.min(step, rows - first)));
    this.bytesRead += tensor.bytes;
    return hash.digest("hex");
  }

  async #sample(file: WeightFile, tensor: TensorInfo, hear: (bytes: Uint8Array) => void): Promise<TensorSample> {
    const { rows: of, columns } = rowsAndColumns(tensor.shape);
    const parts: Float32Array[] = [];
    for (const { first, count } of sampledRows(of, columns, this.#most)) {
      const bytes = await this.#read(file, tensor, first, count);
      if (!this.#isWhole) this.bytesRead += bytes.length;
      hear(bytes);
      parts.push(new Matrix(tensor.dtype as Dtype, [count, columns], bytes).toFloat32());
    }
    const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    for (const part of parts) {
      values.set(part, end);
      end += part.length;
    }
    return { tensor: tensor.name, values, columns, rows: values.length / columns, of };
  }

  async #read(file: WeightFile, tensor: TensorInfo, first: number, count: number): Promise<Uint8Array> {
    if (this.#signal?.aborted) throw new BhBridgeError("ABORTED", "the audit was cancelled", { cause: this.#signal.reason });
    const bytes = await file.read(tensor, first, count);
    if (hasNotFinite(tensor.dtype, bytes)) this.#notFinite.add(tensor.name);
    await new Promise((resolve) => setImmediate(resolve)); // signals and progress
    return bytes;
  }
}

const floats: readonly string[] = ["BF16", "F16", "F32", "F64"];

function isSampled(tensor: TensorInfo): boolean {
  return tensor.shape.length === 2 && floats.includes(tensor.dtype) && isReadable(tensor) && tensor.bytes > 0;
}

/** The first of the tensors with the most bytes, by name. */
function largest(tensors: readonly TensorInfo[]): TensorInfo | undefined {
  return [...tensors].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))[0];
}

/** Elements to sample of a tensor: enough for the statistics, at most about 0.5 % of a large one, and fewer of each where there are many shards. */
const leastElements = 4096;
const mostElements = 16_384;
const share = 0.005;
const blocks = 4;

/** The sampled rows of a matrix: four blocks, evenly spread. They depend only on its shape and the number of files, so that all checkpoints have the same. */
function sampledRows(rows: number, columns: number, most: number): { first: number; count: number }[] {
  const elements = Math.min(most, Math.max(leastElements, share * rows * columns));
  const count = Math.max(1, Math.ceil(elements / columns / blocks));
  if (count * blocks >= rows) return [{ first: 0, count: rows }];
  return Array.from({ length: blocks }, (_, block) => ({ first: Math.floor(((2 * block + 1) * rows) / (2 * blocks) - count / 2), count }));
}

function digestOf(digests: ReadonlyMap<string, string>): string {
  const lines = [...digests].map(([name, digest]) => `${name} ${digest}\n`).sort();
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/** The bits of an exponent, which are all set in NaN and infinity, in the last two or four bytes of an element. */
const exponents: Readonly<Record<string, number>> = { BF16: 0x7f80, F16: 0x7c00, F32: 0x7f80_0000, F64: 0x7ff0_0000 };

function hasNotFinite(dtype: string, { buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const exponent = exponents[dtype];
  if (exponent === undefined) return false;
  const words = exponent > 0xffff ? new Uint32Array(buffer, byteOffset, byteLength / 4) : new Uint16Array(buffer, byteOffset, byteLength / 2);
  const [first, stride] = dtype === "F64" ? [1, 2] : [0, 1];
  for (let index = first; index < words.length; index += stride) if (((words[index] ?? 0) & exponent) === exponent) return true;
  return false;
}
