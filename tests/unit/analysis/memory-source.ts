import type { History } from "../../../src/formats/history.js";
import { type Dtype, itemSizes, type Matrix, type RowSource } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";

/** The rows of a matrix in memory, to be read in pieces. */
export function memorySource(matrix: Matrix): RowSource {
  const { dtype, rows, columns, bytes } = matrix;
  const rowBytes = columns * itemSizes[dtype];
  return {
    source: "memory",
    dtype,
    rows,
    columns,
    read: (first, count, target) => target.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes)),
  };
}

/** States in memory, read as a history: `bytes` is `[states, tokens, dims]`. */
export function memoryHistory(dtype: Dtype, shape: readonly [states: number, tokens: number, dims: number], bytes: Uint8Array): History {
  const [states, tokens, dims] = shape;
  const stateBytes = tokens * dims * itemSizes[dtype];
  return {
    source: "memory",
    dtype,
    states,
    tokens,
    dims,
    rowTokens: RowTokens.all(tokens),
    read: (first, count, target) => target.set(bytes.subarray(first * stateBytes, (first + count) * stateBytes)),
    close: () => undefined,
  };
}
