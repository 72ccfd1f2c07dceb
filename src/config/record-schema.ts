import { z } from "zod";
import { bytesAsText } from "../formats/tokenizer-text.js";

/** A schedule as text: parts, each of which starts where the previous one ends. */
const words =
  /^\s*(?:\d+\.\.\d+|every [1-9]\d*(?: to \d+)?|log [1-9]\d*(?: to \d+)?)\s*(?:,\s*(?:\d+\.\.\d+|every [1-9]\d*(?: to \d+)?|log [1-9]\d*(?: to \d+)?)\s*)*$/;
const part = /^(?:(\d+)\.\.(\d+)|every (\d+)(?: to (\d+))?|log (\d+)(?: to (\d+))?)$/;
/** Powers of ten that exceed every number of steps. */
const mostDecades = 160;

/** Steps to record in addition to the first and the last: an interval, a list, or a schedule as text. */
export const scheduleSchema = z.union([
  z.int().min(1),
  z.array(z.int().nonnegative()).min(1),
  z
    .string()
    .regex(words, 'expected parts such as "0..100, every 10 to 1000, every 100", or "0..10, log 20"')
    .meta({ examples: ["0..100, every 10 to 1000, every 100", "0..10, log 20"] }),
]);
export type RecordSchedule = z.output<typeof scheduleSchema>;

/** 10^(i / perDecade), rounded half up, from `first` to `last`. */
function onALogarithmicScale(perDecade: number, first: number, last: number): number[] {
  const steps: number[] = [];
  for (let index = 0; index < mostDecades * perDecade; index++) {
    const step = Math.floor(10 ** (index / perDecade) + 0.5);
    if (step > last) break;
    if (step >= first && step > (steps.at(-1) ?? -1)) steps.push(step);
  }
  return steps;
}

function stepsBetween(first: number, last: number, every: number): number[] {
  return Array.from({ length: Math.max(0, Math.floor((last - first) / every) + 1) }, (_, index) => first + index * every);
}

function stepsOfWords(text: string, last: number): number[] {
  const steps: number[] = [];
  let end = -1; // last step of the previous part
  for (const written of text.split(",")) {
    const [from, upTo, every, everyTo, log, logTo] = (part.exec(written.trim()) ?? [])
      .slice(1)
      .map((digits) => (digits === undefined ? undefined : Number(digits)));
    const to = upTo ?? everyTo ?? logTo ?? last;
    const until = Math.min(to, last);
    if (from !== undefined) steps.push(...stepsBetween(Math.max(from, end + 1), until, 1));
    else if (every !== undefined) steps.push(...stepsBetween((Math.floor(end / every) + 1) * every, until, every));
    else steps.push(...onALogarithmicScale(log ?? 1, end + 1, until));
    end = Math.max(end, to);
  }
  return steps;
}

/** Steps up to `step` that a schedule records, ascending, including step 0. */
export function stepsUpTo(schedule: RecordSchedule, step: number): number[] {
  const written = typeof schedule === "number" ? stepsBetween(0, step, schedule) : typeof schedule === "string" ? stepsOfWords(schedule, step) : schedule;
  return [...new Set([0, ...written.filter((each) => each <= step)])].sort((a, b) => a - b);
}

/** Recorded steps of a training, ascending: those of its schedule, and the last one. */
export function stepsOfSchedule(schedule: RecordSchedule, last: number): number[] {
  const steps = stepsUpTo(schedule, last);
  return steps.at(-1) === last ? steps : [...steps, last];
}

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

/** Name of a recordable tensor. A name with dots can be a parameter's, which Python checks against the model. */
export const recordableTensorSchema = z.union([z.enum(recordableTensors), z.templateLiteral([namePart, ".", z.string().regex(/\w+(?:\.\w+)*/)])]);

export type RecordableTensor = z.output<typeof recordableTensorSchema>;

/** Quantities that only the model's forward pass computes. */
export const tensorsOfForwardPass: readonly string[] = ["hidden.mean", "hidden.variance", "logits.mean"];

/** Whether a recorded tensor has one row per token, from which `record.rows` chooses. */
export function hasTokenRows(tensor: string): boolean {
  return /^(?:wte|lm_head)(?:\.|$)/.test(tensor) || tensor === "logits.mean";
}

/** A pattern of rows: a regular expression between slashes that matches the text of tokens. */
const rowPattern = /^\/.+\/[iu]*$/;

/** Tensors, rows and steps of the run's history. The loss of every step is always recorded. */
export const recordSchema = z.strictObject({
  tensors: z
    .array(recordableTensorSchema)
    .default(["wte"])
    .describe(
      "Tensors to record: `wte` (the embedding, required), an untied `lm_head`, or any parameter by name; each also with `.grad` (the gradient that the optimizer receives) or an optimizer state (`.exp_avg`, `.exp_avg_sq`, `.master`, …); `hidden.mean`, `hidden.variance`, `logits.mean`, `learning_rate`, `grad_norm`, `grad_norm.clipped`.",
    ),
  every: scheduleSchema
    .default(1)
    .describe(
      "Steps to record in addition to the first and the last: each multiple of a number, a list, or text such as `0..100, every 10 to 1000, every 100` or `0..10, log 20` (20 steps per power of ten).",
    ),
  schedules: z.record(z.string(), scheduleSchema).optional().describe("Steps of single tensors, by name, in the form of `every`, which applies to the others."),
  rows: z
    .union([z.enum(["all", "dead", "live"]), z.array(z.int().nonnegative()).min(1), z.string().regex(rowPattern)])
    .default("all")
    .describe(
      "Rows to record of tensors with one row per token: `all`, `dead` (tokens that never appear in the corpus), `live` (the others), a list of token ids, or a regular expression for the text of tokens such as `/[A-Z]/`.",
    ),
  model: z
    .enum(["off", "deltas"])
    .default("off")
    .describe(
      "All weights at every step: `deltas` stores the exact difference to the step before, compressed to about a fifth of a bfloat16 model; `off` stores none.",
    ),
});

/** The value of `record.rows`. */
export type RecordRows = z.output<typeof recordSchema>["rows"];

/** Checkpoints, from which a run can be resumed. */
export const checkpointSchema = z.strictObject({
  every: z
    .int()
    .min(1)
    .nullable()
    .default(1000)
    .describe("Steps between checkpoints, the most that a crash can lose; null saves one only when the run stops or ends."),
  keep: z
    .int()
    .min(1)
    .default(2)
    .describe(
      "Newest checkpoints to keep; with two, the run survives damage to one. Older ones remain while they take at most a tenth of the history, spread over the training.",
    ),
});

/** Number of bytes, the largest vocabulary without a tokenizer. The text of further tokens is not known from the configuration. */
export const mostByteTokens = 256;
/** Number of ASCII characters. */
export const asciiTokens = 128;

/** Texts of the bytes, because each census asks for those of many tokens. */
const byteTexts: string[] = [];

/** Text of a byte token: an ASCII character, or a number such as `<0xE2>`. */
export function byteText(token: number): string {
  byteTexts[token] ??= bytesAsText(Uint8Array.of(token));
  return byteTexts[token];
}

/** Text of an ASCII token; null for other bytes, whose `<0xE2>` contains letters that the token does not. */
function characterText(token: number): string | null {
  return token < asciiTokens ? byteText(token) : null;
}

/** The regular expression of a pattern such as `/[a-z]/i`. @throws {SyntaxError} */
export function expressionOf(pattern: string): RegExp {
  const end = pattern.lastIndexOf("/");
  return new RegExp(pattern.slice(1, end), pattern.slice(end + 1));
}

/**
 * Tokens whose text a pattern matches, ascending.
 * @param textOf the text of each token of a tokenizer (default: tokens are bytes).
 * @throws {SyntaxError} for an invalid regular expression.
 */
export function matchingTokens(pattern: string, vocabulary: number, textOf: (token: number) => string | null = characterText): number[] {
  const expression = expressionOf(pattern);
  return Array.from({ length: vocabulary }, (_, token) => token).filter((token) => {
    const text = textOf(token);
    return text !== null && expression.test(text);
  });
}
