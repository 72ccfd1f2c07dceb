import { z } from "zod";

/** A number in which non-finite values travel as the strings `NaN`, `Infinity` and `-Infinity`: JSON has no others. */
export const wireNumberSchema = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity"]).transform(Number)]);
