import { BhBridgeError } from "../errors.js";
import { type Dtype, dtypes, itemSizes, Matrix } from "./matrix.js";
import type { RowSource } from "./row-source.js";

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
  /**
   * Its rows, to be read in pieces while its file is open.
   *
   * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a dtype that `Dtype` lacks.
   */
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
