import { BhBridgeError } from "../errors.js";
import type { FileBytes } from "./file-bytes.js";
import { type Dtype, dtypes, itemSizes, Matrix, type RowSource } from "./matrix.js";

/** What a file says about one of its tensors. */
export interface TensorInfo {
  readonly name: string;
  /** As safetensors spells it; more than `Dtype` knows (`F8_E4M3`, `C64`), since a file may hold what is only listed here. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of its elements, as if stored densely. */
  readonly bytes: number;
  /** The file that holds it, relative to what was opened. */
  readonly file: string;
  /** Why its values cannot be read and what to do about it, where that is known before they are; its dtype may be another reason. */
  readonly unreadable?: string | undefined;
}

/** A tensor that was found in a file and not read. */
export interface StoredTensor extends TensorInfo {
  /** Its rows, to be read in pieces while its file is open. @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a dtype that `Dtype` lacks. */
  rows(): RowSource;
}

/** Whether values of this dtype can be read. */
export function isDtype(dtype: string): dtype is Dtype {
  return (dtypes as readonly string[]).includes(dtype);
}

/** Whether a tensor's values can be read, as far as its file tells beforehand. */
export function isReadable({ dtype, unreadable }: TensorInfo): boolean {
  return isDtype(dtype) && unreadable === undefined;
}

/** The dtype, when its values can be read. @throws {BhBridgeError} `FORMAT_UNSUPPORTED`. */
export function readableDtype(tensor: Pick<TensorInfo, "name" | "dtype">, path: string): Dtype {
  if (isDtype(tensor.dtype)) return tensor.dtype;
  throw new BhBridgeError("FORMAT_UNSUPPORTED", `tensor "${tensor.name}" of ${path} is ${tensor.dtype}; readable are ${dtypes.join(", ")}`);
}

/** Rows and columns of a shape, seen as `Matrix` sees it. */
export function rowsAndColumns(shape: readonly number[]): { rows: number; columns: number } {
  const columns = shape.at(-1) ?? 1;
  const count = shape.reduce((product, size) => product * size, 1);
  return { rows: columns === 0 ? 0 : count / columns, columns };
}

/** A whole tensor in memory. @throws {BhBridgeError} `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`. */
export function readMatrix(tensor: StoredTensor): Matrix {
  const source = tensor.rows();
  const bytes = new Uint8Array(source.rows * source.columns * itemSizes[source.dtype]);
  source.read(0, source.rows, bytes);
  return new Matrix(source.dtype, tensor.shape, bytes);
}

/** A tensor whose elements lie dense, row-major and little-endian at `offset` of a plain file; the caller has checked that they do. */
export function rawTensor(file: FileBytes, offset: number, info: TensorInfo): StoredTensor {
  return {
    ...info,
    rows(): RowSource {
      const dtype = readableDtype(info, file.path);
      const { rows, columns } = rowsAndColumns(info.shape);
      const rowBytes = columns * itemSizes[dtype];
      return {
        source: file.path,
        dtype,
        rows,
        columns,
        raw: { path: file.path, offset },
        read(first, count, target) {
          const wanted = target.subarray(0, count * rowBytes);
          file.readInto(offset + first * rowBytes, wanted, `tensor "${info.name}"`);
        },
      };
    },
  };
}

/** A box inside an array: `count` elements from `offset` on, along every dimension; it covers `rows` rows from `firstRow` on. */
interface RowSlab {
  readonly firstRow: number;
  readonly rows: number;
  readonly offset: number[];
  readonly count: number[];
}

/**
 * The boxes that cover `count` rows from `first` on, in their order. Rows run over the last dimension. Whole blocks of leading dimensions are one box; where
 * the range begins or ends inside a block, that block is taken apart.
 */
export function* rowSlabs(shape: readonly number[], first: number, count: number): Generator<RowSlab> {
  const [length = 1, ...inner] = shape;
  if (shape.length <= 1) {
    yield { firstRow: first, rows: 1, offset: shape.map(() => 0), count: [...shape] };
    return;
  }
  const blockRows = inner.slice(0, -1).reduce((product, size) => product * size, 1);
  for (let row = first; row < first + count; ) {
    const block = Math.floor(row / blockRows);
    const within = row % blockRows;
    const left = first + count - row;
    const wholeBlocks = within === 0 ? Math.min(Math.floor(left / blockRows), length - block) : 0;
    if (wholeBlocks > 0) {
      yield { firstRow: row, rows: wholeBlocks * blockRows, offset: [block, ...inner.map(() => 0)], count: [wholeBlocks, ...inner] };
      row += wholeBlocks * blockRows;
    } else {
      const rows = Math.min(left, blockRows - within);
      for (const slab of rowSlabs(inner, within, rows)) {
        yield { firstRow: slab.firstRow - within + row, rows: slab.rows, offset: [block, ...slab.offset], count: [1, ...slab.count] };
      }
      row += rows;
    }
  }
}

/** Number of bytes read at a time, about 10 ms, so that other tasks can run in between. */
const pieceBytes = 64 * 2 ** 20;

/** A whole tensor in memory, read in pieces. @throws {BhBridgeError} `ABORTED` by the signal; `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`. */
export async function loadMatrix(tensor: StoredTensor, signal?: AbortSignal): Promise<Matrix> {
  const source = tensor.rows();
  const { rows, columns, dtype } = source;
  const rowBytes = columns * itemSizes[dtype];
  const bytes = new Uint8Array(rows * rowBytes);
  const rowsAtATime = Math.max(1, Math.floor(pieceBytes / Math.max(1, rowBytes)));
  for (let first = 0; first < rows; first += rowsAtATime) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `reading tensor "${tensor.name}" was cancelled`, { cause: signal.reason });
    const count = Math.min(rowsAtATime, rows - first);
    source.read(first, count, bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    if (first + count < rows) await new Promise((resolve) => setImmediate(resolve));
  }
  return new Matrix(dtype, tensor.shape, bytes);
}
