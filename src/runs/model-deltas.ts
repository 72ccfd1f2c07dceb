import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { crc32, inflateSync } from "node:zlib";
import { z } from "zod";
import { BhBridgeError, withFallback } from "../errors.js";
import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { type Dtype, dtypes, itemSizes } from "../formats/matrix.js";
import { count } from "../text/format.js";
import { readWhole } from "./file-types.js";
import { runFiles } from "./run-layout.js";

/** A tensor of a recorded model. */
export interface ModelTensor {
  /** As in the state dict of the model, and in `model.safetensors`. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its elements, little-endian, row-major, in memory of their own. */
  readonly bytes: Uint8Array;
}

/** All weights of a run after every step, from `record.model: deltas`. Formats: docs/run-directory.md. */
export interface ModelDeltas extends Disposable {
  /** The first and the last recorded step; every step between them is recorded. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Each tensor once, without its bytes. */
  readonly tensors: readonly Omit<ModelTensor, "bytes">[];
  /** Names of tensors that share the weights of another one, such as `lm_head.weight`, with the name of that one. */
  readonly tied: ReadonlyMap<string, string>;
  /**
   * The weights after a step, checked against their CRC-32. Reading the steps in order is fastest.
   * @throws {BhBridgeError} `USAGE` for a step that is not recorded; `RUN_CORRUPT` naming the damaged step.
   */
  at(step: number): ModelTensor[];
  /**
   * Whether a step is stored by the same bytes in another run, which takes less time than reading its weights: if the weights of the step before are equal, or
   * there is none, so are those of the step. False proves nothing.
   * @throws {BhBridgeError} as `at`.
   */
  storesSame(other: ModelDeltas, step: number): boolean;
  /** Check every frame and record, and the last state. @throws {BhBridgeError} `RUN_CORRUPT` naming the damaged step. */
  verify(): void;
  /** Bytes of header and committed frames. */
  readonly bytes: number;
  /** Whether frames or records follow the committed ones, as after a crash. */
  readonly hasUncommitted: boolean;
  close(): void;
}

/** Length and CRC-32 of the header; number of frames and its CRC-32. */
const headBytes = 8;
/** Step (u64), offset (u64), length (u32), CRC-32 of the frame, of the state, of the record. */
const recordBytes = 32;
const mostHeaderBytes = 16 * 2 ** 20;
/** zlib reaches at most 1,032 bytes for one. */
const mostRatio = 1032;

const size = z.int().nonnegative();
const headerSchema = z.object({
  format: z.literal("bh-bridge/deltas@1"),
  key_every: z.int().min(1),
  words: z.array(z.tuple([z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]), size])),
  tensors: z.array(z.object({ name: z.string(), dtype: z.enum(dtypes), shape: z.array(size), offset: size })),
  tied: z.record(z.string(), z.string()),
});

/** The words of a state, by their width in bytes. */
type Words = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;

/**
 * Open the recorded weights of a run; undefined if it has none, or no step yet. No Python is required.
 * @throws {BhBridgeError} `RUN_CORRUPT` if header or index are damaged; `FILE_UNREADABLE`.
 */
export function openModelDeltas(directory: string): ModelDeltas | undefined {
  if (!existsSync(join(directory, runFiles.deltasIndex))) return undefined;
  const index = readWhole(containedFile(directory, runFiles.deltasIndex));
  const indexPath = join(directory, runFiles.deltasIndex);
  const frames = index.length < headBytes ? 0 : index.readUInt32LE(0);
  if (index.length >= headBytes && index.some((byte) => byte !== 0) && crc32(index.subarray(0, 4)) !== index.readUInt32LE(4)) {
    throw corrupt(indexPath, "its number of frames does not have its CRC-32");
  }
  if (frames === 0) return undefined;
  const needed = headBytes + frames * recordBytes;
  if (index.length < needed) throw corrupt(indexPath, `it has ${count(index.length, "byte")}, but ${count(frames, "frame")} need ${needed}`);
  const file = new FileBytes(containedFile(directory, runFiles.deltas));
  try {
    return new DeltasFile(file, new FrameIndex(indexPath, index, frames));
  } catch (error) {
    file.close();
    throw asCorrupt(error);
  }
}

/** The record of a frame. */
interface Frame {
  readonly step: number;
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
  readonly stateCrc: number;
}

/** The committed records of `model.idx`. */
class FrameIndex {
  readonly path: string;
  readonly frames: number;
  readonly #bytes: Buffer;

  constructor(path: string, bytes: Buffer, frames: number) {
    this.path = path;
    this.frames = frames;
    this.#bytes = bytes;
  }

  get hasUncommitted(): boolean {
    return this.#bytes.length > headBytes + this.frames * recordBytes;
  }

  frame(index: number): Frame {
    const at = headBytes + index * recordBytes;
    const record = this.#bytes.subarray(at, at + recordBytes);
    if (crc32(record.subarray(0, recordBytes - 4)) !== record.readUInt32LE(recordBytes - 4)) {
      throw corrupt(this.path, `record ${index} does not have its own CRC-32`);
    }
    return {
      step: Number(record.readBigUInt64LE(0)),
      offset: Number(record.readBigUInt64LE(8)),
      length: record.readUInt32LE(16),
      crc: record.readUInt32LE(20),
      stateCrc: record.readUInt32LE(24),
    };
  }
}

class DeltasFile implements ModelDeltas {
  readonly firstStep: number;
  readonly lastStep: number;
  readonly tensors: readonly Omit<ModelTensor, "bytes">[];
  readonly tied: ReadonlyMap<string, string>;
  readonly #file: FileBytes;
  readonly #index: FrameIndex;
  readonly #header: z.output<typeof headerSchema>;
  /** The last state that was read, as ordered words, and its index. */
  #latest: { readonly index: number; readonly words: readonly Words[] } | undefined;

  constructor(file: FileBytes, index: FrameIndex) {
    this.#file = file;
    this.#index = index;
    this.#header = readHeader(file);
    if (stateBytes(this.#header) > index.frame(0).length * mostRatio) throw corrupt(file.path, "its header names more bytes than its first frame can have");
    this.firstStep = index.frame(0).step;
    this.lastStep = index.frame(index.frames - 1).step;
    if (this.lastStep - this.firstStep !== index.frames - 1) {
      throw corrupt(index.path, `${index.frames} frames have the steps ${this.firstStep} to ${this.lastStep}`);
    }
    this.tensors = this.#header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    this.tied = new Map(Object.entries(this.#header.tied));
  }

  at(step: number): ModelTensor[] {
    this.#requireStep(step);
    try {
      const state = this.#state(step - this.firstStep);
      return this.#header.tensors.map(({ name, dtype, shape, offset }) => ({
        name,
        dtype,
        shape,
        bytes: state.slice(offset, offset + elements(shape) * itemSizes[dtype]),
      }));
    } catch (error) {
      throw asCorrupt(error);
    }
  }

  storesSame(other: ModelDeltas, step: number): boolean {
    if (!(other instanceof DeltasFile) || other.firstStep !== this.firstStep || !isDeepStrictEqual(other.#header, this.#header)) return false;
    for (const each of [this, other]) each.#requireStep(step);
    try {
      const index = step - this.firstStep;
      return Buffer.compare(this.#frame(index).bytes, other.#frame(index).bytes) === 0;
    } catch (error) {
      throw asCorrupt(error);
    }
  }

  verify(): void {
    try {
      let end = this.#index.frame(0).offset;
      for (let index = 0; index < this.#index.frames; index++) {
        const { offset, length, step } = this.#index.frame(index);
        if (offset !== end) throw corrupt(this.#index.path, `the frame of step ${step} is at byte ${offset}, and the one before ends at byte ${end}`);
        this.#frame(index);
        end += length;
      }
      this.at(this.lastStep);
    } catch (error) {
      throw asCorrupt(error);
    }
  }

  get bytes(): number {
    const { offset, length } = this.#index.frame(this.#index.frames - 1);
    return offset + length;
  }

  get hasUncommitted(): boolean {
    return this.#file.size > this.bytes || this.#index.hasUncommitted;
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireStep(step: number): void {
    if (Number.isInteger(step) && step >= this.firstStep && step <= this.lastStep) return;
    throw new BhBridgeError("USAGE", `${this.#file.path} has the weights of steps ${this.firstStep} to ${this.lastStep}, not of step ${step}`);
  }

  /** The bytes of a state. */
  #state(index: number): Uint8Array {
    const key = index - (index % this.#header.key_every);
    const latest = this.#latest !== undefined && this.#latest.index >= key && this.#latest.index <= index ? this.#latest : undefined;
    this.#latest = undefined; // its words change below
    const words = latest?.words ?? this.#header.words.map(([width, number]) => newWords(width, number));
    for (let at = latest ? latest.index + 1 : key; at <= index; at++) this.#add(at, words);
    const { step, stateCrc } = this.#index.frame(index);
    const state = Buffer.concat(words.map(bitsOf));
    if (crc32(state) !== stateCrc) throw corrupt(this.#file.path, `the weights of step ${step} do not have their CRC-32`);
    this.#latest = { index, words };
    return state;
  }

  /** The bytes of a frame, and its record. */
  #frame(index: number): Frame & { readonly bytes: Uint8Array } {
    const frame = this.#index.frame(index);
    const { step, offset, length, crc } = frame;
    if (step !== this.firstStep + index) throw corrupt(this.#index.path, `record ${index} is of step ${step}, not ${this.firstStep + index}`);
    const bytes = this.#file.read(offset, length, `the frame of step ${step}`);
    if (crc32(bytes) !== crc) throw corrupt(this.#file.path, `the frame of step ${step}, at byte ${offset}, does not have its CRC-32`);
    return { ...frame, bytes };
  }

  /** Add the difference of a frame to the state before it. */
  #add(index: number, words: readonly Words[]): void {
    const { step, offset, bytes } = this.#frame(index);
    const planes = unpacked(bytes, stateBytes(this.#header));
    if (!planes) throw corrupt(this.#file.path, `the frame of step ${step}, at byte ${offset}, is not one of its tensors`);
    let start = 0;
    for (const each of words) {
      addPlanes(each, planes.subarray(start, start + each.byteLength));
      start += each.byteLength;
    }
  }
}

function readHeader(file: FileBytes): z.output<typeof headerSchema> {
  const head = Buffer.from(file.read(0, headBytes, "its header"));
  const length = head.readUInt32LE(0);
  if (length > mostHeaderBytes) throw corrupt(file.path, `its header would have ${length} bytes`);
  const text = file.read(headBytes, length, "its header");
  if (crc32(text) !== head.readUInt32LE(4)) throw corrupt(file.path, "its header does not have its CRC-32");
  const parsed = headerSchema.safeParse(JSON.parse(Buffer.from(text).toString("utf8")));
  if (!parsed.success) throw corrupt(file.path, `its header is not one of this version: ${parsed.error.message}`);
  const { tensors } = parsed.data;
  const end = stateBytes(parsed.data);
  const isOutside = tensors.some(({ shape, dtype, offset }) => offset + elements(shape) * itemSizes[dtype] > end);
  if (isOutside || !Number.isSafeInteger(end)) throw corrupt(file.path, "its header names more bytes than a state has");
  return parsed.data;
}

function stateBytes({ words }: Pick<z.output<typeof headerSchema>, "words">): number {
  return words.reduce((sum, [width, number]) => sum + width * number, 0);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, each) => product * each, 1);
}

function newWords(width: 1 | 2 | 4 | 8, number: number): Words {
  if (width === 1) return new Uint8Array(number);
  if (width === 2) return new Uint16Array(number);
  return width === 4 ? new Uint32Array(number) : new BigUint64Array(number);
}

/** The decompressed bytes; undefined if they are not that many. */
function unpacked(frame: Uint8Array, bytes: number): Buffer | undefined {
  try {
    const planes = inflateSync(frame, { maxOutputLength: Math.max(bytes, 1) });
    return planes.length === bytes ? planes : undefined;
  } catch {
    return undefined;
  }
}

/** Add zig-zag numbers to words, modulo their range; all low bytes come first, then the next ones. */
function addPlanes(words: Words, planes: Buffer): void {
  const { length } = words;
  if (words instanceof BigUint64Array) {
    for (let index = 0; index < length; index++) {
      let zigzag = 0n;
      for (let plane = 7; plane >= 0; plane--) zigzag = (zigzag << 8n) | BigInt(planes[plane * length + index] ?? 0);
      words[index] = (words[index] ?? 0n) + ((zigzag >> 1n) ^ -(zigzag & 1n));
    }
    return;
  }
  if (words instanceof Uint16Array) {
    for (let index = 0; index < length; index++) {
      const zigzag = (planes[index] ?? 0) | ((planes[length + index] ?? 0) << 8);
      words[index] = (words[index] ?? 0) + ((zigzag >>> 1) ^ -(zigzag & 1));
    }
    return;
  }
  for (let index = 0; index < length; index++) {
    let zigzag = 0;
    for (let at = index, shift = 0; at < planes.length; at += length, shift += 8) zigzag |= (planes[at] ?? 0) << shift;
    words[index] = (words[index] ?? 0) + ((zigzag >>> 1) ^ -(zigzag & 1));
  }
}

/** The bytes of numbers whose order the words have: negative numbers are stored in reverse order. */
function bitsOf(words: Words): Uint8Array {
  if (words instanceof BigUint64Array) {
    return new Uint8Array(words.map((word) => (word >> 63n ? word ^ (2n ** 63n - 1n) : word)).buffer);
  }
  const top = 2 ** (words.BYTES_PER_ELEMENT * 8 - 1);
  const bits = words.slice();
  for (let index = 0; index < bits.length; index++) {
    const word = bits[index] ?? 0;
    if (word >= top) bits[index] = word ^ (top - 1);
  }
  return new Uint8Array(bits.buffer);
}

/** A file of a run that violates its format is damaged. */
function asCorrupt(error: unknown): unknown {
  if (error instanceof SyntaxError) return new BhBridgeError("RUN_CORRUPT", `${runFiles.deltas} has a damaged header: ${error.message}`, { cause: error });
  return error instanceof BhBridgeError && error.code === "FORMAT_INVALID" ? new BhBridgeError("RUN_CORRUPT", error.message, { cause: error }) : error;
}

function corrupt(path: string, reason: string): BhBridgeError {
  return new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${reason}`);
}

/** The first problem of a run's recorded weights: the checksums of all frames and records, and of the last state. */
export function verifyModelDeltas(directory: string): string[] {
  return withFallback(
    () => {
      using deltas = openModelDeltas(directory);
      deltas?.verify();
      return [];
    },
    ({ message }) => [message],
  );
}

/**
 * Estimated bytes of the recorded weights of a training, by the committed frames so far.
 * @returns 0 if it records none, or has no committed frame.
 */
export function recordedWeightBytes(directory: string, stepsLeft: number): number {
  return withFallback(
    () => {
      using deltas = openModelDeltas(directory);
      if (!deltas) return 0;
      const steps = deltas.lastStep - deltas.firstStep + 1;
      return (deltas.bytes / steps) * (steps + stepsLeft);
    },
    () => 0, // a damaged file is reported when it is read
  );
}

/** What follows the last committed frame; undefined if nothing does. */
export function uncommittedWeights(directory: string): string | undefined {
  return withFallback(
    () => {
      using deltas = openModelDeltas(directory);
      return deltas?.hasUncommitted ? "the frames after the last committed one mean nothing" : undefined;
    },
    () => "its frames could not be checked",
  );
}
