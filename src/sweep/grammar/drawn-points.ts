import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { z } from "zod";
import type { JsonValue } from "../../config/json-value.js";
import { jsonValueSchema } from "./axis.js";
import { maxSobolDimensions, sobolPoints } from "./sobol-points.js";

const ends = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, { error: "the first end is below the second" });

/** What the values of one field are drawn from. */
export const drawSchema = z.union(
  [
    z.array(jsonValueSchema).min(1),
    z.strictObject({ uniform: ends.describe("[low, high]: evenly between the two.") }),
    z.strictObject({
      log: ends.refine(([low]) => low > 0, { error: "both ends are above 0" }).describe("[low, high]: evenly in the logarithm."),
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
const over = z.record(z.string(), drawSchema).describe("Field to what its values are drawn from: a list, {uniform: [low, high]}, {log: […]} or {int: […]}.");

/** Points drawn independently. */
export const randomSchema = z.strictObject({ ...drawnShape, over });

/** Points of a Sobol sequence, which lie more evenly than independent ones. */
export const sobolSchema = z.strictObject({
  ...drawnShape,
  over: over.refine((fields) => Object.keys(fields).length <= maxSobolDimensions, { error: `a Sobol sequence is over ${maxSobolDimensions} fields at most` }),
});

/** Numbers drawn from a range keep as many digits: enough to be different, few enough to be read. */
const drawnDigits = 6;

/** The points that are drawn: values by field. The same seed gives the same points, and more trials begin with those of fewer. */
export function randomPoints({ trials, seed, over: fields }: z.output<typeof randomSchema>): Record<string, JsonValue>[] {
  const generator = xoroshiro128plus(seed);
  return Array.from({ length: trials }, () => pointOf(fields, () => uniformFloat64(generator)));
}

/** As `randomPoints`, of a Sobol sequence; its digital shift is drawn from the seed. */
export function sobolDraws({ trials, seed, over: fields }: z.output<typeof sobolSchema>): Record<string, JsonValue>[] {
  const generator = xoroshiro128plus(seed);
  const shift = Object.keys(fields).map(() => uniformInt(generator, 0, 2 ** 30 - 1));
  return sobolPoints(trials, shift).map((coordinates) => pointOf(fields, (dimension) => coordinates[dimension] ?? 0));
}

function pointOf(fields: Readonly<Record<string, Draw>>, share: (dimension: number) => number): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(fields).map(([path, draw], dimension) => [path, valueAtShare(draw, share(dimension))]));
}

/** The value that lies at a share in `[0, 1)` of what is drawn from. */
function valueAtShare(draw: Draw, share: number): JsonValue {
  if (Array.isArray(draw)) return draw[Math.floor(share * draw.length)] ?? null;
  if ("int" in draw) return draw.int[0] + Math.floor(share * (draw.int[1] - draw.int[0] + 1));
  const [low, high] = "log" in draw ? draw.log : draw.uniform;
  return Number(("log" in draw ? low * (high / low) ** share : low + (high - low) * share).toPrecision(drawnDigits));
}
