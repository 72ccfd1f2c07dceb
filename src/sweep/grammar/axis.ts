import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { z } from "zod";
import type { JsonValue } from "../../config/json-value.js";
import { parseValue } from "../../config/layers.js";
import type { ConfigIssue } from "../../errors.js";

/** Catches typing mistakes such as `1..1000000`. */
const maxRangeLength = 100_000;

/** The whole numbers of `42..51`, both ends included, in either direction; undefined for other text. */
export function wholeRange(text: string): number[] | undefined {
  const [, first, last] = /^\s*(-?\d{1,15})\s*\.\.\s*(-?\d{1,15})\s*$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [Number(first), Number(last)];
  const length = Math.abs(to - from) + 1;
  if (length > maxRangeLength) return undefined;
  return Array.from({ length }, (_, index) => (to >= from ? from + index : from - index));
}

export const jsonValueSchema = z.json();

/** `[first, last, count]`: both ends included. */
const span = z.tuple([z.number(), z.number(), z.int().min(2).max(100_000)]);

const wholeRangeSchema = z
  .string()
  .refine((text) => wholeRange(text) !== undefined, { error: 'is not a range of whole numbers, for example "42..51"' })
  .meta({ pattern: "^\\s*-?\\d{1,15}\\s*\\.\\.\\s*-?\\d{1,15}\\s*$" });

/** The values of one axis, as written. */
export const axisSchema = z
  .union(
    [
      z.array(jsonValueSchema).min(1),
      wholeRangeSchema,
      z.strictObject({ linspace: span.describe("[first, last, count], evenly spaced, both ends included.") }),
      z.strictObject({
        logspace: span
          .refine(([first, last]) => first > 0 && last > 0, { error: "both ends of a logspace must be above 0" })
          .describe("[first, last, count], evenly spaced by ratio, both ends included."),
      }),
    ],
    { error: "expected a list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}" },
  )
  .describe("A list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}.");

type Axis = z.output<typeof axisSchema>;

/** Enough digits to distinguish points, and few enough to write 1e-5 as such. */
const pointDigits = 12;

export function axisValues(axis: Axis): z.core.util.JSONType[] {
  if (Array.isArray(axis)) return axis;
  if (typeof axis === "string") return wholeRange(axis) ?? [];
  if ("linspace" in axis) return points(axis.linspace, (first, last, share) => first + (last - first) * share);
  return points(axis.logspace, (first, last, share) => first * (last / first) ** share);
}

function points([first, last, count]: [number, number, number], at: (first: number, last: number, share: number) => number): number[] {
  const between = (index: number) => Number(at(first, last, index / (count - 1)).toPrecision(pointDigits));
  return Array.from({ length: count }, (_, index) => (index === 0 ? first : index === count - 1 ? last : between(index)));
}

/** An axis from the command line: its field and unchecked values. */
export interface AxisText {
  path: string;
  values: unknown;
}

/**
 * Parse `path=values`: `a=1,2,3`, `a=1..9`, `a=logspace:1e-6,1e-3,7`, `a=linspace:0,1,5`, or JSON (`a=[1,2]`, `a={"logspace":[1e-6,1e-3,7]}`).
 * @param option its option, for messages.
 */
export function parseAxisText(text: string, option: string, issues: ConfigIssue[]): AxisText | undefined {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(0, equals)).trim();
  const written = text.slice(equals + 1).trim();
  if (!/^[^.\s]+(\.[^.\s]+)*$/.test(path) || written === "") {
    issues.push({ path: text, message: "is not path=values, for example training.learning_rate=1e-3,3e-4", source: option });
    return undefined;
  }
  return { path, values: valuesOf(written) };
}

function valuesOf(written: string): unknown {
  const json = parseValue(written);
  if (typeof json === "object" && json !== null) return json;
  if (/^-?\d+\s*\.\.\s*-?\d+$/.test(written)) return written;
  const [, space, span] = /^(logspace|linspace):(.*)$/.exec(written) ?? [];
  if (space !== undefined && span !== undefined) return { [space]: span.split(",").map((part) => parseValue(part.trim())) };
  return written.split(",").map((part) => parseValue(part.trim()));
}

/** Parse seeds from the command line: `42..51`, `1,2,5`, or one. */
export function parseSeedsText(text: string): unknown {
  const parts = text.split(",").map((part) => part.trim());
  return parts.length > 1 ? parts.map(parseValue) : parseValue(text.trim());
}

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
