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
  .superRefine((seeds, context) => {
    const problem = seedsProblem(seeds);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .describe("Seeds that every point is trained with: a list, a range (42..51), or one seed.");

/** Why seeds that are numbers cannot be planned: a repeated seed would count one run twice, and a descending range is usually a typing mistake. */
function seedsProblem(seeds: number | number[] | string): string | undefined {
  const all = listed(seeds);
  const [first = 0] = all;
  const last = all.at(-1) ?? first;
  if (typeof seeds === "string" && first > last) return `the range runs backwards; did you mean ${last}..${first}?`;
  const seen = new Set<number>();
  const repeated = all.find((each) => seen.size === seen.add(each).size);
  return repeated === undefined ? undefined : `seed ${repeated} is listed more than once; list each seed once`;
}

function listed(seeds: number | number[] | string): number[] {
  return typeof seeds === "string" ? (wholeRange(seeds) ?? []) : typeof seeds === "number" ? [seeds] : seeds;
}

/** The seeds in the order in which they are listed. */
export function seedsOf(seeds: z.output<typeof seedsSchema>): number[] {
  return listed(seeds);
}
