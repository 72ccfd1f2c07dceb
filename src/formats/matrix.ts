import { getFloat16 } from "@petamoriken/float16";
import { BhBridgeError } from "../errors.js";
import { RowTokens } from "./row-tokens.js";
import type { RawBytes } from "./state-checks.js";

/** Element types, spelt as safetensors spells them. */
export const dtypes = ["BF16", "F16", "F32", "F64", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL"] as const;
/** Dtype of a tensor, by its name in safetensors. */
export type Dtype = (typeof dtypes)[number];

/** Bytes of one element. */
export const itemSizes: Readonly<Record<Dtype, number>> = {
  BF16: 2,
  F16: 2,
  F32: 4,
  F64: 8,
  I8: 1,
  U8: 1,
  I16: 2,
  U16: 2,
  I32: 4,
  U32: 4,
  I64: 8,
  U64: 8,
  BOOL: 1,
};

const bf16Scratch = new DataView(new ArrayBuffer(4));

function bf16(bits: number): number {
  bf16Scratch.setUint32(0, bits << 16);
  return bf16Scratch.getFloat32(0);
}

type Decode = (view: DataView, offset: number) => number;

// 64-bit integers above 2^53 lose their low bits as JavaScript numbers; weights and counters here stay below.
const decoders: Readonly<Record<Dtype, Decode>> = {
  BF16: (view, offset) => bf16(view.getUint16(offset, true)),
  F16: (view, offset) => getFloat16(view, offset, true),
  F32: (view, offset) => view.getFloat32(offset, true),
  F64: (view, offset) => view.getFloat64(offset, true),
  I8: (view, offset) => view.getInt8(offset),
  U8: (view, offset) => view.getUint8(offset),
  I16: (view, offset) => view.getInt16(offset, true),
  U16: (view, offset) => view.getUint16(offset, true),
  I32: (view, offset) => view.getInt32(offset, true),
  U32: (view, offset) => view.getUint32(offset, true),
  I64: (view, offset) => Number(view.getBigInt64(offset, true)),
  U64: (view, offset) => Number(view.getBigUint64(offset, true)),
  BOOL: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
};

/**
 * A tensor in memory, seen as rows over its last dimension. `shape` is the tensor's own; `rows` is the product of all dimensions but the last (1 for a vector
 * or a scalar). `bytes` are its elements, little-endian, row-major, as in a safetensors file. `rowTokens` is the token of each row (default: row i is token i).
 * @throws {BhBridgeError} `FORMAT_INVALID` when `bytes` is not as long as dtype and shape demand.
 */
export class Matrix {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly rowTokens: RowTokens;
  readonly #view: DataView;
  readonly #decode: Decode;

  constructor(dtype: Dtype, shape: readonly number[], bytes: Uint8Array, rowTokens?: RowTokens) {
    const count = shape.reduce((product, size) => product * size, 1);
    const expected = count * itemSizes[dtype];
    if (bytes.byteLength !== expected) {
      throw new BhBridgeError("FORMAT_INVALID", `a ${dtype} tensor of shape [${shape.join(", ")}] takes ${expected} bytes, not ${bytes.byteLength}`);
    }
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
    this.columns = shape.at(-1) ?? 1;
    this.rows = this.columns === 0 ? 0 : count / this.columns;
    this.rowTokens = rowTokens ?? RowTokens.all(this.rows);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#decode = decoders[dtype];
  }

  /** The element at a row and a column, exactly as a number (64-bit integers beyond 2^53 are rounded). */
  at(row: number, column: number): number {
    if (!(row >= 0 && row < this.rows && column >= 0 && column < this.columns)) {
      throw new RangeError(`element (${row}, ${column}) is outside a matrix of ${this.rows} × ${this.columns}`);
    }
    return this.#decode(this.#view, (row * this.columns + column) * itemSizes[this.dtype]);
  }

  /** All elements in row-major order, rounded to float32 (exact for BF16, F16 and F32). */
  toFloat32(): Float32Array {
    return this.#fill(new Float32Array(this.rows * this.columns));
  }

  /** All elements in row-major order, exactly (but for 64-bit integers beyond 2^53). */
  toFloat64(): Float64Array {
    return this.#fill(new Float64Array(this.rows * this.columns));
  }

  #fill<Target extends Float32Array | Float64Array>(target: Target): Target {
    const size = itemSizes[this.dtype];
    for (let index = 0; index < target.length; index++) target[index] = this.#decode(this.#view, index * size);
    return target;
  }
}

/**
 * The rows of one tensor, read from its file a few at a time, so that memory does not grow with the tensor. Rows run over the last dimension, as in `Matrix`:
 * `[a, b, c]` has a·b rows of c columns.
 */
export interface RowSource {
  /** What the rows were read from, for messages and documents. */
  readonly source: string;
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
  /** Which token each row is; row i is token i when absent. */
  readonly rowTokens?: RowTokens;
  /** Where all rows lie as contiguous little-endian bytes in a plain file, so that workers can read them; absent otherwise. */
  readonly raw?: RawBytes;
  /**
   * Copy the rows `first` to `first + count − 1` into `target`, which holds exactly their bytes.
   * @throws {BhBridgeError} `FORMAT_INVALID` when the file ends early; `RUN_CORRUPT` for a damaged snapshot of a recorded history.
   */
  read(first: number, count: number, target: Uint8Array): void;
}

const remedy = "take one from model.tensor() or openCheckpoint(), or make one with new Matrix(dtype, shape, bytes)";

/** Whether a value has the parts of a `Matrix`. */
export function isMatrix(value: unknown): value is Matrix {
  return typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array && "dtype" in value && "shape" in value;
}

/** Refuse what is not a matrix, such as a list of lists. @param name of the argument, for the message. @throws {BhBridgeError} `USAGE` naming the argument. */
export function requireMatrix(value: unknown, name: string): void {
  if (isMatrix(value)) return;
  const kind = Array.isArray(value) ? "a list" : value === null ? "null" : typeof value;
  throw new BhBridgeError("USAGE", `${name}: ${kind} is not a Matrix: ${remedy}`, { issues: [{ path: name, message: `is not a Matrix: ${remedy}` }] });
}

/** Number of bytes read at a time: fast, but small compared to a program's memory. */
const chunkBytes = 4 * 2 ** 20;

/** Consecutive rows; `bytes` is used again for the next ones. */
interface RowChunk {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** All rows of a source front to back, some at a time, in memory that does not grow with them. */
export function* rowChunks(source: RowSource): Generator<RowChunk> {
  const rowBytes = source.columns * itemSizes[source.dtype];
  const rowsAtATime = Math.max(1, Math.floor(chunkBytes / Math.max(1, rowBytes)));
  const buffer = new Uint8Array(Math.min(rowsAtATime, source.rows) * rowBytes);
  for (let first = 0; first < source.rows; first += rowsAtATime) {
    const count = Math.min(rowsAtATime, source.rows - first);
    const bytes = buffer.subarray(0, count * rowBytes);
    source.read(first, count, bytes);
    yield { first, count, bytes };
  }
}
