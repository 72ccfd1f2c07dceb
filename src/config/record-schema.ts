import { z } from "zod";

/** What can be recorded at every step: the embedding, its gradient, and the two Adam moments that belong to it. */
export const recordableTensors = ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] as const;

/** Which tensors, rows and steps go into the run's history. The loss of every step is always kept beside it. */
export const recordSchema = z.strictObject({
  tensors: z
    .array(z.enum(recordableTensors))
    .default(["wte"])
    .describe(
      "Matrices to record: `wte` (the embedding, always needed), its gradient as the optimizer receives it (`wte.grad`), and the Adam moments `wte.exp_avg`, `wte.exp_avg_sq`.",
    ),
  every: z.int().min(1).default(1).describe("Record each step whose number is a multiple of this, and the initial and the last state."),
  rows: z
    .union([z.enum(["all", "dead"]), z.array(z.int().nonnegative()).min(1)])
    .default("all")
    .describe("Rows of the matrices to record: `all`, `dead` (tokens that never appear in the corpus), or a list of token ids."),
});

/** Durable states that a run can be resumed from. */
export const checkpointSchema = z.strictObject({
  every: z
    .int()
    .min(1)
    .nullable()
    .default(1000)
    .describe("Steps between checkpoints, which bounds what a crash can cost; null keeps one only when the run stops or ends."),
  keep: z.int().min(1).default(2).describe("Checkpoints to keep; the oldest go first, after the newer one is verified. Two survive damage to one of them."),
});
