import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import { decodeElements, inverseUlp } from "../elements.js";

/** L1, L2 and maximum norm of a vector of each token. */
export interface TokenNorms {
  readonly L1: Float64Array;
  readonly L2: Float64Array;
  readonly Linf: Float64Array;
}

/** The motion of every token in one step. */
export interface StepMotion {
  /** Norms of ΔW. */
  readonly weight: TokenNorms;
  /** Norms of ΔW′ = ΔW / ULP(W before), in lattice cells; bfloat16 only. */
  readonly lattice?: TokenNorms;
  /** ‖mean ΔW‖²: the motion shared by all tokens. */
  readonly bulk: number;
  /** mean ‖ΔW − mean ΔW‖²: the motion around it. */
  readonly thermal: number;
  /** (Σ‖ΔW‖)²/(NΣ‖ΔW‖²): 1 if all move equally far, 1/N if one moves, 0 if none does. */
  readonly participation: number;
}

/** Two decoded states; `previousBits` are the elements of the earlier one if it is bfloat16. */
interface DecodedStep {
  readonly previous: Float64Array;
  readonly current: Float64Array;
  readonly previousBits?: Uint16Array | undefined;
}

interface MotionShape {
  readonly tokens: number;
  readonly dims: number;
  /** True for a float64 history; ΔW of any other is rounded to float32. */
  readonly isFloat64: boolean;
}

function tokenNorms(tokens: number): TokenNorms {
  return { L1: new Float64Array(tokens), L2: new Float64Array(tokens), Linf: new Float64Array(tokens) };
}

function setNorms(norms: TokenNorms, token: number, sum: number, squares: number, largest: number): void {
  norms.L1[token] = sum;
  norms.L2[token] = Math.sqrt(squares);
  // NaN compares as not larger, but makes the sum NaN.
  norms.Linf[token] = Number.isNaN(sum) ? Number.NaN : largest;
}

/** ΔW into `change`, its sum over tokens into `total`, and its norms into `weight`. */
function measureWeights(step: DecodedStep, shape: MotionShape, change: Float64Array, total: Float64Array, weight: TokenNorms): void {
  const { previous, current } = step;
  const { tokens, dims, isFloat64 } = shape;
  for (let token = 0, index = 0; token < tokens; token++) {
    let sum = 0;
    let squares = 0;
    let largest = 0;
    for (let dim = 0; dim < dims; dim++, index++) {
      const difference = (current[index] ?? 0) - (previous[index] ?? 0);
      const delta = isFloat64 ? difference : Math.fround(difference);
      const size = Math.abs(delta);
      change[index] = delta;
      total[dim] = (total[dim] ?? 0) + delta;
      sum += size;
      squares += delta * delta;
      if (size > largest) largest = size;
    }
    setNorms(weight, token, sum, squares, largest);
  }
}

/** Norms of ΔW′ from `change`. */
function measureLattice(change: Float64Array, previousBits: Uint16Array, { tokens, dims }: MotionShape, lattice: TokenNorms): void {
  for (let token = 0, index = 0; token < tokens; token++) {
    let sum = 0;
    let squares = 0;
    let largest = 0;
    for (let dim = 0; dim < dims; dim++, index++) {
      const cells = Math.abs((change[index] ?? 0) * inverseUlp(previousBits[index] ?? 0));
      sum += cells;
      squares += cells * cells;
      if (cells > largest) largest = cells;
    }
    setNorms(lattice, token, sum, squares, largest);
  }
}

/** mean ‖ΔW − mean ΔW‖², in a separate pass: a difference of two means would lose its digits if all tokens move alike. */
function thermalMotion(change: Float64Array, mean: Float64Array, { tokens, dims }: MotionShape): number {
  let sum = 0;
  for (let token = 0, index = 0; token < tokens; token++) {
    for (let dim = 0; dim < dims; dim++, index++) {
      const deviation = (change[index] ?? 0) - (mean[dim] ?? 0);
      sum += deviation * deviation;
    }
  }
  return sum / tokens;
}

function participation(lengths: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const length of lengths) {
    sum += length;
    squares += length * length;
  }
  return squares === 0 ? 0 : (sum * sum) / (lengths.length * squares);
}

/** Returns a function that measures steps of one shape. Its memory is reused: a result is valid until the next call. */
export function motionMeter(shape: MotionShape): (step: DecodedStep) => StepMotion {
  const { tokens, dims } = shape;
  const change = new Float64Array(tokens * dims);
  const mean = new Float64Array(dims);
  const weight = tokenNorms(tokens);
  const lattice = tokenNorms(tokens);
  return (step) => {
    mean.fill(0);
    measureWeights(step, shape, change, mean, weight);
    for (let dim = 0; dim < dims; dim++) mean[dim] = (mean[dim] ?? 0) / tokens;
    if (step.previousBits) measureLattice(change, step.previousBits, shape, lattice);
    return {
      weight,
      ...(step.previousBits ? { lattice } : {}),
      bulk: mean.reduce((sum, value) => sum + value * value, 0),
      thermal: thermalMotion(change, mean, shape),
      participation: participation(weight.L2),
    };
  };
}

/**
 * Measure the motion of every token from one state to the next. ΔW is subtracted in float32 (float64 for float64 matrices); everything after that is float64.
 * NaN on either side makes a token's norms NaN.
 * @param previous `[tokens, dims]` of any dtype, the earlier state. @param current the later state, of the same dtype and shape.
 */
export function stepMotion(previous: Matrix, current: Matrix): StepMotion {
  requireMatrix(previous, "previous");
  requireMatrix(current, "current");
  const { rows: tokens, columns: dims, dtype } = previous;
  const decoded = { previous: new Float64Array(tokens * dims), current: new Float64Array(tokens * dims) };
  decodeElements(dtype, previous.bytes, decoded.previous);
  decodeElements(current.dtype, current.bytes, decoded.current);
  const previousBits = dtype === "BF16" ? new Uint16Array(new Uint8Array(previous.bytes).buffer) : undefined;
  return motionMeter({ tokens, dims, isFloat64: dtype === "F64" })({ ...decoded, previousBits });
}
