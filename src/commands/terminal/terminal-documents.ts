import { z } from "zod";
import { errorCodes, exitCodes } from "../../errors.js";
import { trainEventSchema } from "../../protocol/events.js";
import { trialEventSchema } from "../../sweep/sweep-document.js";

// What any command may print. The program imports the types only: building these schemas takes longer than starting it.

/** The document of `--json` when a command fails. */
export const errorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/error@1"),
  code: z.enum(errorCodes),
  message: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), message: z.string(), source: z.string().optional() })),
});
export type ErrorDocument = z.output<typeof errorDocumentSchema>;

const count = z.int().nonnegative();

function lineSchema<const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.strictObject({ schema: z.literal("bh-bridge/progress@1"), type: z.literal(type), ...shape });
}

const { code, message, issues } = errorDocumentSchema.shape;

/** One line on stderr under `--progress json`. Non-finite numbers are the texts `NaN`, `Infinity` and `-Infinity`, which the schema reads as numbers. */
export const progressLineSchema = z.discriminatedUnion("type", [
  /** A message for people. */
  lineSchema("message", { text: z.string() }),
  /** Current activity without a count: a start, a step of the set-up. */
  lineSchema("phase", { text: z.string(), seconds: z.number().nonnegative() }),
  /** Progress of a task: `Training` in steps, `Analysing` in states. */
  lineSchema("progress", { task: z.string(), unit: z.string(), done: count, total: count }),
  /** A run has started or resumed; its events follow. */
  lineSchema("run", { directory: z.string(), fromStep: count, steps: count }),
  /** An item of `trainer.events()` and a line of `events.jsonl`. */
  lineSchema("train", { event: trainEventSchema }),
  /** An item of `sweep()` or `experiment()`. */
  lineSchema("trial", { event: trialEventSchema }),
  /** The error that ended the command. */
  lineSchema("error", { code, message, issues }),
  lineSchema("end", { status: z.enum(Object.keys(exitCodes) as (keyof typeof exitCodes)[]), exitCode: z.int() }),
]);
export type ProgressLine = z.output<typeof progressLineSchema>;

type WithoutSchema<Line> = Line extends unknown ? Omit<Line, "schema"> : never;

/** A line without the field that all lines share. */
export type ProgressReport = WithoutSchema<ProgressLine>;
