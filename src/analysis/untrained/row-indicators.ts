import { itemSizes, type RowSource } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import { distance, dot, euclideanNorm } from "../geometry/centroid.js";
import type { KernelChoice } from "../kernels/load-kernels.js";
import { deviationsPerMedian, median, median as medianOf } from "../statistics/statistics.js";
import { type PrincipalAxis, principalAxis } from "./principal-axis.js";
import { arithmeticOf, rowProducts } from "./row-products.js";

export const indicatorNames = ["norm", "cosine", "cosineCentred", "cosineWithoutPc1", "l2"] as const;
type IndicatorName = (typeof indicatorNames)[number];
/** The indicators of one row; NaN if it is not finite. */
type Indicators = Readonly<Record<IndicatorName, number>>;

/** The embeddings of a model; the same matrix twice if they are tied. */
export interface Embeddings {
  readonly input: RowSource;
  readonly output: RowSource;
}

/** Rows closer than this part of their norm are nearly equal. */
const nearlyEqual = 0.01;

/** Groups of nearly equal rows: each row joins the first group whose first row is near, by decreasing size. Groups of one are omitted. */
export function nearlyEqualRows(source: RowSource, rows: readonly number[]): number[][] {
  const read = rowReader(source);
  const groups: { values: Float64Array; norm: number; rows: number[] }[] = [];
  for (const row of rows) {
    const values = read(row);
    const norm = euclideanNorm(values);
    const isNear = (other: (typeof groups)[number]): boolean => {
      const limit = nearlyEqual * other.norm;
      return Math.abs(norm - other.norm) <= limit && distance(values, other.values) <= limit;
    };
    const group = groups.find(isNear);
    if (group) group.rows.push(row);
    else groups.push({ values, norm, rows: [row] });
  }
  return groups.flatMap((group) => (group.rows.length > 1 ? [group.rows] : [])).sort((a, b) => b.length - a.length);
}

/** Every row of a model compared with rows that are known to be unused. */
export interface RowIndicators {
  /** The unused rows without those that differ from the others, ascending. */
  readonly reference: readonly number[];
  /** The indicators of all rows: exact for a small matrix, to about 1e-6 for others. */
  readonly all: Readonly<Record<IndicatorName, Float64Array>>;
  of(row: number): Indicators;
  readonly principal: PrincipalAxis;
}

/** Unused rows, of which `reliable` alone decide where the others should be. */
export interface UnusedRows {
  readonly rows: readonly number[];
  readonly reliable: readonly number[];
  /** Whether all are taken as they are, since a user chose them. */
  readonly isChosen?: boolean;
}

/** Unused rows among which the densest group is looked for. */
const maxSample = 128;
/** Part of them that makes a group, and the smallest one. */
const groupShare = 1 / 8;
const smallestGroup = 8;
/** Unused rows further from the centre than this number of median distances are taken for trained ones. */
export const farthest = 3;
/** Below this norm Land and Bartolo do not divide. */
const smallestNorm = 1e-6;

function rowReader(source: RowSource): (row: number) => Float64Array {
  const bytes = new Uint8Array(source.columns * itemSizes[source.dtype]);
  return (row) => {
    source.read(row, 1, bytes);
    const values = new Float64Array(source.columns);
    decodeElements(source.dtype, bytes, values);
    return values;
  };
}

/** The component-wise median of rows, and the distance from it up to which rows are near. */
function centreOf(rows: readonly Float64Array[]): { centre: Float64Array; limit: number } {
  const centre = new Float64Array(rows[0]?.length ?? 0).map((_, column) => median(rows.map((values) => values[column] ?? 0)));
  return { centre, limit: farthest * median(rows.map((values) => distance(values, centre))) };
}

/** The row with the nearest neighbours, and these. */
function densestGroup(rows: readonly Float64Array[]): readonly Float64Array[] {
  const size = Math.min(rows.length, Math.max(smallestGroup, Math.ceil(rows.length * groupShare)));
  const groups = rows.map((row) => {
    const near = rows.map((values) => ({ values, from: distance(row, values) })).sort((a, b) => a.from - b.from);
    return { radius: near[size - 1]?.from ?? 0, rows: near.slice(0, size).map(({ values }) => values) };
  });
  return groups.sort((a, b) => a.radius - b.radius)[0]?.rows ?? [];
}

/** The unused rows around the densest group of the reliable ones, and their mean: trained rows among them, even many, do not move it. */
function referenceOf(source: RowSource, { rows, reliable, isChosen = false }: UnusedRows): { rows: number[]; mean: Float64Array } {
  const read = rowReader(source);
  const step = Math.max(1, reliable.length / maxSample);
  const sample = Array.from({ length: Math.min(reliable.length, maxSample) }, (_, index) => read(reliable[Math.floor(index * step)] ?? 0));
  const group = centreOf(densestGroup(sample));
  const { centre, limit } = centreOf(sample.filter((values) => distance(values, group.centre) <= group.limit));
  const kept: number[] = [];
  const mean = new Float64Array(source.columns);
  for (const row of rows) {
    const values = read(row);
    if (!isChosen && !(distance(values, centre) <= limit)) continue;
    kept.push(row);
    for (let column = 0; column < mean.length; column++) mean[column] = (mean[column] ?? 0) + (values[column] ?? 0);
  }
  return { rows: kept, mean: mean.map((total) => total / kept.length) };
}

/** What the indicators of a row follow from. */
type Products = Readonly<Record<"norm" | "square" | "unused" | "mean" | "axis" | "l2", number>>;

/** The indicators from the products of rows with three vectors. */
function indicatorsFrom(unused: Float64Array, mean: Float64Array, axis: Float64Array): (products: Products) => Indicators {
  const centred = unused.map((value, column) => value - (mean[column] ?? 0));
  const along = dot(unused, axis);
  const rest = unused.map((value, column) => value - along * (axis[column] ?? 0));
  const [unusedNorm, centredNorm, restNorm] = [unused, centred, rest].map(euclideanNorm) as [number, number, number];
  const meanSquare = dot(mean, mean);
  const unusedMean = dot(unused, mean);
  const cosine = (product: number, square: number, norm: number) => 1 - product / Math.max(Math.sqrt(Math.max(square, 0)) * norm, smallestNorm);
  return ({ norm, square, unused: withUnused, mean: withMean, axis: withAxis, l2 }) => ({
    norm,
    cosine: cosine(withUnused, square, unusedNorm),
    cosineCentred: cosine(withUnused - withMean - unusedMean + meanSquare, square - 2 * withMean + meanSquare, centredNorm),
    cosineWithoutPc1: cosine(withUnused - along * withAxis, square - withAxis ** 2, restNorm),
    l2,
  });
}

/**
 * The indicators of Land and Bartolo (arXiv 2405.05417) for all rows. `norm` is of the input embedding, the others are of the output embedding.
 * @param find chooses the unused rows, given the norms of the input embedding.
 * @yields the number of rows read.
 */
export function* rowIndicators(
  { input, output }: Embeddings,
  find: (norms: Float64Array) => UnusedRows,
  kernels: KernelChoice,
): Generator<number, RowIndicators> {
  const arithmetic = arithmeticOf(output, kernels);
  const { dots, sum } = yield* rowProducts(output, { vectors: [], sum: "rows", arithmetic });
  const squares = dots[0] ?? new Float64Array();
  const inputSquares = input === output ? squares : ((yield* rowProducts(input, { vectors: [], arithmetic: arithmeticOf(input, kernels) })).dots[0] ?? squares);
  const norms = inputSquares.map(Math.sqrt);
  const skipped = Uint8Array.from(squares, (square) => Number(Number.isNaN(square)));
  const finite = skipped.length - skipped.reduce((total, flag) => total + flag, 0);
  const mean = sum.map((total) => total / Math.max(finite, 1));
  const { rows: reference, mean: unusedMean } = referenceOf(output, find(norms));
  const principal = yield* principalAxis(output, { mean, skipped }, arithmetic);
  const { axis } = principal;
  const products = yield* rowProducts(output, { vectors: [unusedMean, mean, axis], arithmetic });
  const [withUnused, withMean, withAxis] = products.dots as [Float64Array, Float64Array, Float64Array];
  const from = indicatorsFrom(unusedMean, mean, axis);
  const unusedSquare = dot(unusedMean, unusedMean);
  const all = Object.fromEntries(indicatorNames.map((name) => [name, new Float64Array(squares.length)])) as Record<IndicatorName, Float64Array>;
  for (let row = 0; row < squares.length; row++) {
    const square = squares[row] ?? 0;
    const unused = withUnused[row] ?? 0;
    const l2 = Math.sqrt(Math.max(square - 2 * unused + unusedSquare, 0));
    const found = from({ norm: norms[row] ?? Number.NaN, square, unused, mean: withMean[row] ?? 0, axis: withAxis[row] ?? 0, l2 });
    for (const name of indicatorNames) all[name][row] = found[name];
  }
  const [readInput, readOutput] = [rowReader(input), rowReader(output)];
  const of = (row: number): Indicators => {
    const values = readOutput(row);
    const exact = { square: dot(values, values), unused: dot(values, unusedMean), mean: dot(values, mean), axis: dot(values, axis) };
    return from({ ...exact, norm: euclideanNorm(readInput(row)), l2: distance(values, unusedMean) });
  };
  return { reference, all, of, principal };
}

/** The limit below which a row looks unused. */
export interface Threshold {
  readonly indicator: IndicatorName;
  readonly value: number;
  readonly how: string;
}

/** Deviations of unused rows that the limit allows. */
const allowed = 6;
/** Smallest deviation, relative to the distance to the median of all other rows: unused rows may all be equal. */
const smallestSpread = 1e-3;

function spreadOf(values: ArrayLike<number>, median: number): number {
  return deviationsPerMedian * medianOf(Float64Array.from(values, (value) => Math.abs(value - median)));
}

/**
 * The threshold of the indicator that separates the unused rows best: by the distance of the medians of unused and other rows, in units of their spreads.
 *
 * A row outside a mean of n rows is further from it than those inside, by (n + 1)/(n − 1) in squared distance, which the limit allows for.
 * @returns undefined if no indicator separates them.
 */
export function chooseThreshold({ all, reference }: Pick<RowIndicators, "all" | "reference">): Threshold | undefined {
  const inReference = new Set(reference);
  const n = reference.length;
  const scored = indicatorNames.flatMap((indicator) => {
    const values = all[indicator];
    const unused = reference.map((row) => values[row] ?? Number.NaN);
    const others = values.filter((value, row) => !inReference.has(row) && Number.isFinite(value));
    const [median, otherMedian] = [medianOf(unused), medianOf(others)];
    const spread = Math.max(spreadOf(unused, median), smallestSpread * (otherMedian - median));
    const widening = n < 2 || indicator === "norm" ? 1 : ((n + 1) / (n - 1)) ** (indicator === "l2" ? 0.5 : 1);
    const value = (median + allowed * spread) * widening;
    const separation = (otherMedian - median) / (spread + spreadOf(others, otherMedian));
    return value < (median + otherMedian) / 2 ? [{ indicator, value, median, spread, separation }] : [];
  });
  const best = scored.sort((a, b) => b.separation - a.separation)[0];
  if (!best) return undefined;
  const { indicator, value, median, spread, separation } = best;
  const how = `${indicator} separates the ${n} unused rows best from the others (their medians are ${separation.toPrecision(3)} deviations apart); the threshold is the median ${median.toPrecision(4)} of the unused rows plus ${allowed} deviations of ${spread.toPrecision(3)} (1.4826 times the median absolute deviation)${n < 2 ? "" : `, for rows outside their mean`}`;
  return { indicator, value, how };
}
