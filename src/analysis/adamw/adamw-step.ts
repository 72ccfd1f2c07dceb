import { roundToBfloat16 } from "../elements.js";

const double = new Float64Array(1);
const words = new BigUint64Array(double.buffer);

/**
 * `a · b + c` of float32 numbers, rounded once to float32 like a fused multiply-add (IEEE 754-2008, 5.4.1). The product is exact in float64. The sum is rounded
 * to odd, so that rounding it to float32 equals a single rounding (Boldo & Melquiond 2008).
 */
export function float32Fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const lost = product - (sum - back) + (c - back); // the exact rounding error of the sum (Knuth's TwoSum)
  if (lost === 0 || Number.isNaN(lost)) return Math.fround(sum);
  double[0] = sum;
  const bits = words[0] ?? 0n;
  if ((bits & 1n) === 0n) words[0] = lost > 0 === sum > 0 ? bits + 1n : bits - 1n;
  return Math.fround(double[0]);
}

/**
 * The arithmetic of an AdamW step.
 * - `fused`: torch's fused kernel, float32 throughout, rounded when stored.
 * - `by-operation`: torch's AdamW without `fused`, each operation rounded to the dtype of the weights.
 * - `float32`: bh-bridge's AdamW for float32 moments, each operation in float32.
 * - `portable`: engine `portable`, each operation in float32 in the order of `native/README.md`, rounded when stored.
 */
export const arithmetics = ["fused", "by-operation", "float32", "portable"] as const;
export type AdamwArithmetic = (typeof arithmetics)[number];

/** Settings of a step. */
export interface AdamwSettings {
  readonly arithmetic: AdamwArithmetic;
  /** Whether weights are stored as bfloat16, else as float32. */
  readonly narrowWeights: boolean;
  /** Whether moments are stored as bfloat16, else as float32. */
  readonly narrowMoments: boolean;
  /** Whether the CPU fuses multiplications and additions, as with AVX2, AVX512 and ARM. */
  readonly fma: boolean;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** One component after a step. Its fields are overwritten by the next component. */
export interface SteppedComponent {
  weight: number;
  firstMoment: number;
  secondMoment: number;
  /** The weight times 1 − lr · decay, in the step's arithmetic. */
  decayed: number;
  /** The change by the moments: −lr · m̂ / (√v̂ + ε), in the step's arithmetic. */
  moved: number;
}

/** One component before its step. */
export interface ComponentBefore {
  weight: number;
  gradient: number;
  firstMoment: number;
  secondMoment: number;
  /** Whether it is one of the last components of its tensor that do not fill a vector, which the fused kernel computes with separate code. */
  isLeftOver: boolean;
}

/** Steps one component. `rootShift` moves the root of the second moment by this number of float32 neighbours. */
export type StepComponent = (before: ComponentBefore, rootShift: number) => SteppedComponent;

/** Number of components at the end of a tensor that do not fill a 256-bit vector of the fused kernel. */
export function leftOver(components: number, { arithmetic, narrowWeights }: Pick<AdamwSettings, "arithmetic" | "narrowWeights">): number {
  return arithmetic === "fused" ? components % (narrowWeights ? 16 : 8) : 0;
}

const { fround, sqrt } = Math;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 `shift` positions after a positive one. */
function neighbour(value: number, shift: number): number {
  if (shift === 0 || !(value > 0 && value < Number.POSITIVE_INFINITY)) return value;
  float[0] = value;
  bits[0] = (bits[0] ?? 0) + shift;
  return float[0];
}

/** A multiplication and an addition, each rounded to float32. */
function multiplyThenAdd(a: number, b: number, c: number): number {
  return fround(fround(a * b) + c);
}

/**
 * The step of AdamW (Loshchilov & Hutter 2019, algorithm 2) in the arithmetic and order of torch's CPU code, bit for bit:
 * `aten/src/ATen/native/cpu/FusedAdamKernel.cpp`, and `torch/optim/adam.py` with the kernels of `lerp_`, `addcmul_` and `addcdiv_`. Scalars are computed in
 * float64 and rounded to float32 when combined with a tensor; `lerp_` and the second moment's sum are fused multiply-adds if the CPU has them.
 * @param step counted from 1. @param learningRate of this step.
 */
export function adamwStep(settings: AdamwSettings, step: number, learningRate: number): StepComponent {
  if (settings.arithmetic === "portable") return portableStep(settings, step, learningRate);
  const { arithmetic, narrowWeights, narrowMoments, beta1, beta2, epsilon, weightDecay } = settings;
  const multiplyAdd = settings.fma ? float32Fma : multiplyThenAdd;
  const isNarrowThroughout = arithmetic === "by-operation" && narrowWeights;
  const each = isNarrowThroughout ? roundToBfloat16 : (value: number) => value;
  const storeMoment = narrowMoments ? roundToBfloat16 : (value: number) => value;
  const storeWeight = narrowWeights ? roundToBfloat16 : (value: number) => value;
  const stored: (value: number) => number = arithmetic === "fused" ? (value) => value : storeMoment; // the moment as the weight's update reads it
  const lerp = fround(1 - beta1);
  const isSmallLerp = Math.abs(lerp) < 0.5;
  const coefficient = isSmallLerp ? lerp : fround(lerp - 1);
  const keep = fround(beta2);
  const gain = fround(1 - beta2);
  const rootCorrection = fround(sqrt(1 - beta2 ** step));
  const added = isNarrowThroughout ? roundToBfloat16(epsilon) : fround(epsilon);
  const decay = weightDecay === 0 ? 1 : fround(1 - learningRate * weightDecay);
  const size = fround(-(learningRate / (1 - beta1 ** step)));
  const result: SteppedComponent = { weight: 0, firstMoment: 0, secondMoment: 0, decayed: 0, moved: 0 };
  return ({ weight, gradient, firstMoment, secondMoment, isLeftOver }, rootShift) => {
    const m = multiplyAdd(coefficient, fround(gradient - firstMoment), isSmallLerp ? firstMoment : gradient);
    const scaled = fround(gain * gradient);
    // The compiler fuses one of the two products with the sum: the gradient's in vector code, the old moment's in scalar code.
    const v = isLeftOver ? multiplyAdd(keep, secondMoment, fround(scaled * gradient)) : multiplyAdd(scaled, gradient, each(fround(keep * secondMoment)));
    const root = each(neighbour(fround(sqrt(stored(v))), rootShift));
    const divisor = each(fround(each(fround(root / rootCorrection)) + added));
    result.decayed = each(fround(weight * decay));
    result.moved = fround(fround(size * stored(m)) / divisor);
    result.weight = storeWeight(fround(result.decayed + result.moved));
    result.firstMoment = storeMoment(m);
    result.secondMoment = storeMoment(v);
    return result;
  };
}

/** A number to the power of a step by squaring, as engine `portable` computes it. */
function powerBySquaring(base: number, step: number): number {
  let power = 1;
  for (let [square, left] = [base, step]; left > 0; left = Math.floor(left / 2), square *= square) if (left % 2 === 1) power *= square;
  return power;
}

/** The step of engine `portable`: `native/README.md`, "Clipping and AdamW". Nothing is fused, and roots are exact. */
function portableStep({ narrowWeights, narrowMoments, ...settings }: AdamwSettings, step: number, learningRate: number): StepComponent {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const [storeMoment, storeWeight] = [narrowMoments, narrowWeights].map((narrow) => (narrow ? roundToBfloat16 : (value: number) => value)) as [Round, Round];
  const [lerp, keep, gain] = [fround(1 - beta1), fround(beta2), fround(1 - beta2)];
  const rootCorrection = fround(sqrt(1 - powerBySquaring(beta2, step)));
  const [added, decay] = [fround(epsilon), fround(1 - learningRate * weightDecay)];
  const size = fround(learningRate / (1 - powerBySquaring(beta1, step)));
  const result: SteppedComponent = { weight: 0, firstMoment: 0, secondMoment: 0, decayed: 0, moved: 0 };
  return ({ weight, gradient, firstMoment, secondMoment }) => {
    const m = multiplyThenAdd(lerp, fround(gradient - firstMoment), firstMoment);
    const v = fround(fround(keep * secondMoment) + fround(gain * fround(gradient * gradient)));
    const divisor = fround(fround(fround(sqrt(v)) / rootCorrection) + added);
    result.decayed = fround(weight * decay);
    result.moved = -fround(size * fround(m / divisor));
    result.weight = storeWeight(fround(result.decayed + result.moved));
    result.firstMoment = storeMoment(m);
    result.secondMoment = storeMoment(v);
    return result;
  };
}

type Round = (value: number) => number;
