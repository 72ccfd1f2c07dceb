import { type Dtype, itemSizes, type RowSource } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import { type KernelChoice, kernelKind, loadKernels } from "../kernels/load-kernels.js";

/** `float32` computes with SIMD kernels and sums in float64. */
export type Arithmetic = "float64" | "float32";

/** What one pass over the rows of a matrix computes. */
interface ProductsRequest {
  /** Vectors to multiply each row with; none: each row with itself. */
  readonly vectors: readonly Float64Array[];
  /** Subtracted from each row before (default: nothing). */
  readonly offset?: Float64Array | undefined;
  /** Rows that count as zero: those that are not finite. */
  readonly skipped?: Uint8Array | undefined;
  /** Also sum the rows, all alike or each times its product with the first vector. */
  readonly sum?: "rows" | "projected" | undefined;
  readonly arithmetic: Arithmetic;
}

interface RowProducts {
  /** For each vector, its product with every row; the squared norms of the rows if there are no vectors. */
  readonly dots: readonly Float64Array[];
  /** The requested sum of finite rows; zeros if none was requested. */
  readonly sum: Float64Array;
}

/** Computes the products of some rows in its memory. */
interface Multiplier {
  /** Memory of the first `count` rows, as stored. */
  rows(count: number): Uint8Array;
  decode(count: number): void;
  /** Products of the decoded rows: `dots[row * vectors + vector]`. */
  project(count: number): Float64Array;
  /** Add each decoded row times its weight to `sum`. */
  gather(weights: Float32Array | Float64Array, sum: Float64Array): void;
}

/** Rows decoded at a time, so that they stay in the processor's cache. */
const rowsAtATime = 64;
/** Up to this number of elements, float64 takes less than a second per pass. */
const exactElements = 2 ** 24;

/** The arithmetic of a matrix: float64, or the kernels' float32 where float64 would take too long. */
export function arithmeticOf({ dtype, rows, columns }: RowSource, kernels: KernelChoice): Arithmetic {
  return kernels === "plain" || dtype === "F64" || kernelKind(dtype) === 0 || rows * columns <= exactElements ? "float64" : "float32";
}

function plainMultiplier(dtype: Dtype, columns: number, { vectors, offset }: ProductsRequest): Multiplier {
  const memory = new Uint8Array(rowsAtATime * columns * itemSizes[dtype]);
  const values = new Float64Array(rowsAtATime * columns);
  const used = Math.max(vectors.length, 1);
  const dots = new Float64Array(rowsAtATime * used);
  return {
    rows: (count) => memory.subarray(0, count * columns * itemSizes[dtype]),
    decode(count) {
      const decoded = values.subarray(0, count * columns);
      decodeElements(dtype, memory.subarray(0, decoded.length * itemSizes[dtype]), decoded);
      if (offset) for (let index = 0; index < decoded.length; index++) decoded[index] = (decoded[index] ?? 0) - (offset[index % columns] ?? 0);
    },
    project(count) {
      for (let row = 0; row < count; row++) {
        const first = row * columns;
        for (let index = 0; index < used; index++) {
          const vector = vectors[index] ?? values.subarray(first, first + columns);
          let dot = 0;
          for (let column = 0; column < columns; column++) dot += (values[first + column] ?? 0) * (vector[column] ?? 0);
          dots[row * used + index] = dot;
        }
      }
      return dots;
    },
    gather(weights, sum) {
      for (const [row, weight] of weights.entries()) {
        for (let column = 0; column < columns; column++) sum[column] = (sum[column] ?? 0) + weight * (values[row * columns + column] ?? 0);
      }
    },
  };
}

function kernelMultiplier(dtype: Dtype, columns: number, { vectors, offset }: ProductsRequest): Multiplier {
  const kernels = loadKernels();
  const used = Math.max(vectors.length, 1);
  const address = kernels.configureProducts(columns, itemSizes[dtype], rowsAtATime, used);
  const { buffer } = kernels.memory;
  vectors.forEach((vector, index) => {
    new Float32Array(buffer, kernels.vectorsAddress() + index * kernels.rowStride(), columns).set(vector);
  });
  if (offset) new Float32Array(buffer, kernels.offsetAddress(), columns).set(offset);
  const weightsOfRows = new Float32Array(buffer, kernels.weightsAddress(), rowsAtATime);
  const gathered = new Float32Array(buffer, kernels.gatheredAddress(), columns);
  return {
    rows: (count) => new Uint8Array(buffer, address, count * columns * itemSizes[dtype]),
    decode: (count) => kernels.widen(kernelKind(dtype), count),
    project(count) {
      kernels.project(count, vectors.length);
      return new Float64Array(buffer, kernels.dotsAddress(), count * used);
    },
    gather(weights, sum) {
      weightsOfRows.set(weights);
      kernels.gather(weights.length);
      for (let column = 0; column < columns; column++) sum[column] = (sum[column] ?? 0) + (gathered[column] ?? 0);
    },
  };
}

/**
 * Multiply every row of a matrix with vectors in one pass. Rows that are not finite have NaN as their squared norm, and no part in the sum.
 * @yields the number of rows read.
 */
export function* rowProducts(source: RowSource, request: ProductsRequest): Generator<number, RowProducts> {
  const { dtype, columns, rows } = source;
  const { vectors, skipped, sum: summed } = request;
  const { rows: memory, decode, project, gather } = (request.arithmetic === "float64" ? plainMultiplier : kernelMultiplier)(dtype, columns, request);
  const used = Math.max(vectors.length, 1);
  const dots = Array.from({ length: used }, () => new Float64Array(rows));
  const sum = new Float64Array(columns);
  const rowBytes = columns * itemSizes[dtype];
  for (let first = 0; first < rows; first += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - first);
    const bytes = memory(count);
    source.read(first, count, bytes);
    const omit = (row: number) => bytes.fill(0, row * rowBytes, (row + 1) * rowBytes);
    for (let row = 0; row < count; row++) if (skipped?.[first + row]) omit(row);
    decode(count);
    const found = project(count);
    const weights = new Float64Array(count).fill(1);
    let areFinite = true;
    for (let row = 0; row < count; row++) {
      for (let index = 0; index < used; index++) {
        const value = found[row * used + index] ?? 0;
        const array = dots[index];
        if (array) array[first + row] = Number.isFinite(value) ? value : Number.NaN;
      }
      const dot = dots[0]?.[first + row] ?? 0;
      if (Number.isNaN(dot)) {
        omit(row);
        areFinite = false;
      }
      if (summed === "projected") weights[row] = dot;
      if (Number.isNaN(dot) || skipped?.[first + row]) weights[row] = 0;
    }
    if (summed) {
      if (!areFinite) decode(count);
      gather(weights, sum);
    }
    yield first + count;
  }
  return { dots, sum };
}
