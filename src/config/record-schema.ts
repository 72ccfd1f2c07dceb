import { z } from "zod";
import { scheduleSchema } from "./record-schedule.js";

/**
 * What can be recorded of any model: the embedding, an untied head, gradients, what AdamW keeps, and figures of the step. Any other parameter can be recorded by
 * its own name, with `.grad` or what its optimizer keeps after it.
 */
export const recordableTensors = [
  "wte",
  "wte.grad",
  "wte.exp_avg",
  "wte.exp_avg_sq",
  "wte.master",
  "lm_head",
  "lm_head.grad",
  "hidden.mean",
  "hidden.variance",
  "logits.mean",
  "learning_rate",
  "grad_norm",
  "grad_norm.clipped",
] as const;

const namePart = z.string().regex(/[A-Za-z_]\w*/);

/** The name of a recordable tensor. A name with points can be that of a parameter: which there are is for the model to say. */
export const recordableTensorSchema = z.union([z.enum(recordableTensors), z.templateLiteral([namePart, ".", z.string().regex(/\w+(?:\.\w+)*/)])]);

export type RecordableTensor = z.output<typeof recordableTensorSchema>;

/** What only the model's own forward pass tells. */
export const tensorsOfForwardPass: readonly string[] = ["hidden.mean", "hidden.variance", "logits.mean"];

/** Whether a recorded tensor has a row for each token, of which `record.rows` chooses. */
export function hasTokenRows(tensor: string): boolean {
  return /^(?:wte|lm_head)(?:\.|$)/.test(tensor) || tensor === "logits.mean";
}

/** A pattern of rows: a regular expression between slashes, of how tokens are written. */
const rowPattern = /^\/.+\/[iu]*$/;

/** Which tensors, rows and steps go into the run's history. The loss of every step is always kept beside it. */
export const recordSchema = z.strictObject({
  tensors: z
    .array(recordableTensorSchema)
    .default(["wte"])
    .describe(
      "What to record: `wte` (the embedding, always needed), `lm_head` where it is untied, any parameter by its name; of each `.grad`, its gradient as the optimizer receives it, and what the optimizer keeps (`.exp_avg`, `.exp_avg_sq`, `.master`, …); `hidden.mean`, `hidden.variance`, `logits.mean`, `learning_rate`, `grad_norm`, `grad_norm.clipped`.",
    ),
  every: scheduleSchema
    .default(1)
    .describe(
      "The steps to record, beside the initial and the last one: each multiple of a number, a list, or in words: `0..100, every 10 to 1000, every 100` or `0..10, log 20` (20 steps in each power of ten).",
    ),
  schedules: z
    .record(z.string(), scheduleSchema)
    .optional()
    .describe("Other steps for some tensors, by their names: each as `every`, which holds for those that are not named."),
  rows: z
    .union([z.enum(["all", "dead", "live"]), z.array(z.int().nonnegative()).min(1), z.string().regex(rowPattern)])
    .default("all")
    .describe(
      "Rows to record of the tensors that have one a token: `all`, `dead` (tokens that never appear in the corpus), `live` (the others), a list of token ids, or a regular expression such as `/[A-Z]/` that the tokens' characters match.",
    ),
});

/** Which rows are recorded, as `record.rows` says it. */
export type RecordRows = z.output<typeof recordSchema>["rows"];

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
