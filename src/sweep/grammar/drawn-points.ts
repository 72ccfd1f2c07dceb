import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { z } from "zod";
import type { JsonValue } from "../../config/json-value.js";
import { jsonValueSchema } from "./axis.js";

/** Primitive polynomials and initial direction numbers of the dimensions after the first (Joe & Kuo 2008, new-joe-kuo-6.21201). */
const directions: readonly (readonly [polynomial: number, initial: readonly number[]])[] = [
  [3, [1]],
  [7, [1, 3]],
  [11, [1, 3, 1]],
  [13, [1, 1, 1]],
  [19, [1, 1, 3, 3]],
  [25, [1, 3, 5, 13]],
  [37, [1, 1, 5, 5, 17]],
  [41, [1, 1, 5, 5, 5]],
  [47, [1, 1, 7, 11, 19]],
  [55, [1, 1, 5, 1, 1]],
  [59, [1, 1, 1, 3, 11]],
  [61, [1, 3, 5, 5, 31]],
  [67, [1, 3, 3, 9, 7, 49]],
  [91, [1, 1, 1, 15, 21, 21]],
  [97, [1, 3, 1, 13, 27, 49]],
];

/** Maximum number of fields in a Sobol sequence. */
export const maxSobolDimensions: number = directions.length + 1;

const bits = 30;

/**
 * The first points of the Sobol sequence in `[0, 1)^dimensions`, in Gray-code order (Antonov & Saleev 1979), each coordinate XORed with `shift`.
 * @param shift 30 bits per dimension. 0 gives the plain sequence, which starts at the origin; other values (a digital shift) are as evenly spaced.
 */
export function sobolPoints(count: number, shift: readonly number[]): number[][] {
  const numbers = shift.map((_, dimension) => directionNumbers(dimension));
  const state = [...shift];
  return Array.from({ length: count }, (_, index) => {
    if (index > 0) {
      const bit = Math.log2(index & -index); // the bit in which the Gray codes of this point and the previous one differ
      numbers.forEach((directionsOf, dimension) => {
        state[dimension] = (state[dimension] ?? 0) ^ (directionsOf[bit] ?? 0);
      });
    }
    return state.map((value) => value / 2 ** bits);
  });
}

/** Direction numbers of one dimension, 30-bit integers. */
function directionNumbers(dimension: number): number[] {
  const [polynomial, initial] = directions[dimension - 1] ?? [1, new Array<number>(bits).fill(1)];
  const degree = initial.length;
  const odd = [...initial];
  for (let index = degree; index < bits; index++) {
    const before = odd[index - degree] ?? 0;
    let next = before ^ (before * 2 ** degree);
    for (let k = 1; k < degree; k++) {
      if ((polynomial >> (degree - k)) & 1) next ^= (odd[index - k] ?? 0) << k;
    }
    odd.push(next);
  }
  return odd.map((value, index) => value * 2 ** (bits - 1 - index));
}

const ends = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, { error: "the first end must be below the second" });

/** The distribution of one field. */
export const drawSchema = z.union(
  [
    z.array(jsonValueSchema).min(1),
    z.strictObject({ uniform: ends.describe("[low, high]: uniform between the two.") }),
    z.strictObject({
      log: ends.refine(([low]) => low > 0, { error: "both ends must be above 0" }).describe("[low, high]: uniform in the logarithm."),
    }),
    z.strictObject({ int: z.tuple([z.int(), z.int()]).describe("[low, high]: whole numbers, both ends included.") }),
  ],
  { error: "expected a list of values, {uniform: [low, high]}, {log: [low, high]} or {int: [low, high]}" },
);
type Draw = z.output<typeof drawSchema>;

const drawnShape = {
  trials: z.int().min(1).max(100_000).describe("Points to draw; each is trained with every seed."),
  seed: z.int().min(0).max(0xffff_ffff).default(0).describe("Seed of the draws, not of the trainings."),
};
const over = z.record(z.string(), drawSchema).describe("Distribution of each field: a list, {uniform: [low, high]}, {log: […]} or {int: […]}.");

export const randomSchema = z.strictObject({ ...drawnShape, over });

/** Points of a Sobol sequence are spaced more evenly than independent ones. */
export const sobolSchema = z.strictObject({
  ...drawnShape,
  over: over.refine((fields) => Object.keys(fields).length <= maxSobolDimensions, { error: `a Sobol sequence supports at most ${maxSobolDimensions} fields` }),
});

/** Enough digits to distinguish values, few enough to read. */
const drawnDigits = 6;

/** Draw points independently: values by field. The same seed gives the same points; more trials extend the list. */
export function randomPoints({ trials, seed, over: fields }: z.output<typeof randomSchema>): Record<string, JsonValue>[] {
  const generator = xoroshiro128plus(seed);
  return Array.from({ length: trials }, () => pointOf(fields, () => uniformFloat64(generator)));
}

/** As `randomPoints`, from a Sobol sequence whose digital shift is drawn from the seed. */
export function sobolDraws({ trials, seed, over: fields }: z.output<typeof sobolSchema>): Record<string, JsonValue>[] {
  const generator = xoroshiro128plus(seed);
  const shift = Object.keys(fields).map(() => uniformInt(generator, 0, 2 ** 30 - 1));
  return sobolPoints(trials, shift).map((coordinates) => pointOf(fields, (dimension) => coordinates[dimension] ?? 0));
}

function pointOf(fields: Readonly<Record<string, Draw>>, share: (dimension: number) => number): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(fields).map(([path, draw], dimension) => [path, valueAtShare(draw, share(dimension))]));
}

/** The value at a share in `[0, 1)` of a distribution. */
function valueAtShare(draw: Draw, share: number): JsonValue {
  if (Array.isArray(draw)) return draw[Math.floor(share * draw.length)] ?? null;
  if ("int" in draw) return draw.int[0] + Math.floor(share * (draw.int[1] - draw.int[0] + 1));
  const [low, high] = "log" in draw ? draw.log : draw.uniform;
  return Number(("log" in draw ? low * (high / low) ** share : low + (high - low) * share).toPrecision(drawnDigits));
}
