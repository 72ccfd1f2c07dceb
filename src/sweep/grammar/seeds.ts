import { z } from "zod";
import { wholeRange } from "./whole-range.js";

const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const accepted = "expected a seed, a list of seeds, or a range such as 42..51";

/** Seeds as they are written: `42..51`, a list, or one. */
export const seedsSchema = z
  .union([seed, z.array(seed).min(1), z.string().refine((text) => wholeRange(text)?.every((each) => seed.safeParse(each).success), { error: accepted })], {
    error: accepted,
  })
  .describe("Seeds that every point is trained with: a list, a range (42..51), or one seed.");

/** The seeds, each once, in the order in which they are given. */
export function seedsOf(seeds: z.output<typeof seedsSchema>): number[] {
  const all = typeof seeds === "string" ? (wholeRange(seeds) ?? []) : typeof seeds === "number" ? [seeds] : seeds;
  return [...new Set(all)];
}
