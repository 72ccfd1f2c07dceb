import { Matrix as DenseMatrix, EigenvalueDecomposition } from "ml-matrix";
import { itemSizes, type RowSource } from "../../formats/matrix.js";
import { dot, euclideanNorm } from "../geometry/centroid.js";
import { type Arithmetic, rowProducts } from "./row-products.js";

/** The direction in which the rows of a matrix vary most. */
export interface PrincipalAxis {
  /** Unit vector, with its largest component positive; zeros if all rows are equal. */
  readonly axis: Float64Array;
  /** Passes over the matrix. */
  readonly passes: number;
  /** Bound of the angle to the exact axis, in radians, from the residual and the distance to the second eigenvalue. */
  readonly error: number;
}

/** The mean of the finite rows, and which rows are not finite. */
export interface Centring {
  readonly mean: Float64Array;
  /** 1 for a row that is not finite. */
  readonly skipped: Uint8Array;
}

/** Iterations stop here, for matrices whose two largest eigenvalues are nearly equal. */
const maxPasses = 48;
/** Angles to the exact axis at which the iteration ends: those that the arithmetic can reach. */
const tolerances: Readonly<Record<Arithmetic, number>> = { float64: 1e-10, float32: 2.5e-7 };
const sampleTolerance = 1e-4;
/** Part of the rows that gives the first estimate. */
const sampleBytes = 16 * 2 ** 20;
const runsOfSample = 64;

const negligible = 2 ** -500;

function addScaled(target: Float64Array, factor: number, vector: Float64Array): void {
  for (let index = 0; index < target.length; index++) target[index] = (target[index] ?? 0) + factor * (vector[index] ?? 0);
}

function unit(vector: Float64Array): Float64Array {
  const norm = euclideanNorm(vector);
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  const scale = norm === 0 ? 0 : (largest < 0 ? -1 : 1) / norm;
  return vector.map((value) => value * scale);
}

/** The largest eigenvalue of a symmetric tridiagonal matrix, its distance to the second, and its eigenvector. */
function largestPair(diagonal: readonly number[], beside: readonly number[]): { value: number; gap: number; vector: number[] } {
  const size = diagonal.length;
  const matrix = DenseMatrix.zeros(size, size);
  // The iteration fails on subnormal numbers, so that entries are relative to the largest one.
  const scale = diagonal.reduce((largest, entry) => Math.max(largest, entry), Number.MIN_VALUE);
  const relative = (entry = 0): number => (entry < scale * negligible ? 0 : entry / scale);
  diagonal.forEach((value, index) => {
    matrix.set(index, index, relative(value));
    if (index + 1 < size) {
      matrix.set(index, index + 1, relative(beside[index]));
      matrix.set(index + 1, index, relative(beside[index]));
    }
  });
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = values.map((_, index) => index).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const [first = 0, second = first] = order;
  const value = (values[first] ?? 0) * scale;
  return { value, gap: value - (values[second] ?? 0) * scale, vector: vectors.getColumn(first) };
}

/** Whole runs of rows from all parts of the matrix, in memory. */
function sampleOf(source: RowSource, { mean, skipped }: Centring): [RowSource, Centring] {
  const { columns, rows, dtype } = source;
  const rowBytes = columns * itemSizes[dtype];
  const length = Math.floor(sampleBytes / rowBytes / runsOfSample);
  const bytes = new Uint8Array(length * runsOfSample * rowBytes);
  const flags = new Uint8Array(length * runsOfSample);
  for (let run = 0; run < runsOfSample; run++) {
    const first = Math.floor((run * (rows - length)) / (runsOfSample - 1));
    source.read(first, length, bytes.subarray(run * length * rowBytes, (run + 1) * length * rowBytes));
    flags.set(skipped.subarray(first, first + length), run * length);
  }
  const read: RowSource["read"] = (first, count, target) => target.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  return [
    { source: source.source, dtype, rows: flags.length, columns, read },
    { mean, skipped: flags },
  ];
}

/**
 * The first principal component of the centred rows, by the method of Lanczos with full reorthogonalization (Golub & Van Loan, 10.1): one pass over the matrix
 * per step, in memory that does not grow with its rows. A long matrix starts from the axis of a sample.
 * @yields the number of rows read in the current pass.
 */
export function* principalAxis(source: RowSource, centring: Centring, arithmetic: Arithmetic): Generator<number, PrincipalAxis> {
  const { columns, rows, dtype } = source;
  const isLong = rows * columns * itemSizes[dtype] > 4 * sampleBytes;
  const start = isLong ? (yield* lanczos(...sampleOf(source, centring), arithmetic, randomVector(columns), sampleTolerance)).axis : randomVector(columns);
  return yield* lanczos(source, centring, arithmetic, start, tolerances[arithmetic]);
}

/** A fixed start without symmetry. */
function randomVector(columns: number): Float64Array {
  let state = 1;
  return new Float64Array(columns).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function* lanczos(
  source: RowSource,
  { mean, skipped }: Centring,
  arithmetic: Arithmetic,
  start: Float64Array,
  tolerance: number,
): Generator<number, PrincipalAxis> {
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const beside: number[] = [];
  const { columns } = source;
  let next = unit(start);
  for (;;) {
    basis.push(next);
    const { sum } = yield* rowProducts(source, { vectors: [next], offset: mean, skipped, sum: "projected", arithmetic });
    diagonal.push(dot(sum, next));
    // Twice, so that rounding cannot leave a part of an earlier vector.
    for (const _ of [1, 2]) for (const vector of basis) addScaled(sum, -dot(sum, vector), vector);
    const length = euclideanNorm(sum);
    const { value, gap, vector } = largestPair(diagonal, beside);
    const residual = length * Math.abs(vector.at(-1) ?? 0);
    const isWhole = basis.length === Math.min(columns, maxPasses) || length <= 1e-14 * value;
    const error = basis.length === 1 ? (length <= 1e-14 * value ? 0 : 1) : Math.min(1, residual / gap);
    if (isWhole || error <= tolerance) {
      const axis = new Float64Array(columns);
      basis.forEach((each, index) => {
        addScaled(axis, vector[index] ?? 0, each);
      });
      return { axis: value === 0 ? axis.fill(0) : unit(axis), passes: basis.length, error };
    }
    beside.push(length);
    next = sum.map((each) => each / length);
  }
}
