import { z } from "zod";
import { exitCodes } from "../../errors.js";
import { trainEventSchema } from "../../protocol/events.js";
import { trialEventSchema } from "../../sweep/trial-event.js";
import { errorDocumentSchema } from "./error-document.js";

const count = z.int().nonnegative();

function lineSchema<const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.strictObject({ schema: z.literal("bh-bridge/progress@1"), type: z.literal(type), ...shape });
}

const { code, message, issues } = errorDocumentSchema.shape;

/** One line on stderr under `--progress json`. Numbers that JSON lacks are the texts `NaN`, `Infinity` and `-Infinity`, which the schema reads as numbers. */
export const progressLineSchema = z.discriminatedUnion("type", [
  /** What people would be told in words. */
  lineSchema("message", { text: z.string() }),
  /** What is under way where nothing can be counted: a start, a step of the set-up. */
  lineSchema("phase", { text: z.string(), seconds: z.number().nonnegative() }),
  /** How much of a task is done: `Training` in steps, `Analysing` in states. */
  lineSchema("progress", { task: z.string(), unit: z.string(), done: count, total: count }),
  /** A run has begun or goes on; its events follow. */
  lineSchema("run", { directory: z.string(), fromStep: count, steps: count }),
  /** What `trainer.events()` gives, and a line of `events.jsonl`. */
  lineSchema("train", { event: trainEventSchema }),
  /** What iterating over `sweep()` or `experiment()` gives. */
  lineSchema("trial", { event: trialEventSchema }),
  /** Why the command failed: the document of an error. */
  lineSchema("error", { code, message, issues }),
  /** The last line. */
  lineSchema("end", { status: z.enum(Object.keys(exitCodes) as (keyof typeof exitCodes)[]), exitCode: z.int() }),
]);
export type ProgressLine = z.output<typeof progressLineSchema>;

type WithoutSchema<Line> = Line extends unknown ? Omit<Line, "schema"> : never;

/** A line without what all of them begin with. */
export type ProgressReport = WithoutSchema<ProgressLine>;
