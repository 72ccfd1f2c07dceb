import { z } from "zod";

const stream = (what: string) =>
  z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .nullable()
    .default(null)
    .describe(`${what}: as in a run whose seed is this one. null follows \`seed\`.`);

/** The random streams of a run apart: one start under several data orders, one data order under several starts. */
export const seedsSchema = z.strictObject({
  weights: stream("All weights that the model itself draws"),
  init: stream("The initial state of the embedding"),
  data: stream("The order of the windows"),
  noise: stream("What is drawn during the steps, dropout and noise"),
});
