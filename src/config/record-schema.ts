import { z } from "zod";
import { bytesAsText } from "../formats/tokenizer-text.js";

/** A schedule in words: parts that follow one another, each from where the one before ends. */
const words =
  /^\s*(?:\d+\.\.\d+|every [1-9]\d*(?: to \d+)?|log [1-9]\d*(?: to \d+)?)\s*(?:,\s*(?:\d+\.\.\d+|every [1-9]\d*(?: to \d+)?|log [1-9]\d*(?: to \d+)?)\s*)*$/;
const part = /^(?:(\d+)\.\.(\d+)|every (\d+)(?: to (\d+))?|log (\d+)(?: to (\d+))?)$/;
/** A power of ten beyond every number of steps. */
const mostDecades = 160;

/** Which steps are recorded, beside the first and the last: every so many, a list, or in words. */
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
  let end = -1; // steps after it belong to the part
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

/** The steps up to one that a schedule records, ascending, the first among them. */
export function stepsUpTo(schedule: RecordSchedule, step: number): number[] {
  const written = typeof schedule === "number" ? stepsBetween(0, step, schedule) : typeof schedule === "string" ? stepsOfWords(schedule, step) : schedule;
  return [...new Set([0, ...written.filter((each) => each <= step)])].sort((a, b) => a - b);
}

/** The steps of a training that are recorded, ascending: those of its schedule, and the last one. */
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

/** Bytes that there are: a vocabulary of all of them is that of UTF-8. The tokens of a larger one are pieces of words, which a configuration does not know. */
export const mostByteTokens = 256;
/** Bytes of ASCII, each a character. */
export const asciiTokens = 128;

/** How the tokens of a vocabulary of bytes are written: those of ASCII are characters, the others numbers, as `<0xE2>`. */
export function byteText(token: number): string {
  return bytesAsText(Uint8Array.of(token));
}

/** The text of a byte that is a character; a number such as `<0xE2>` has letters that no text has. */
function characterText(token: number): string | null {
  return token < asciiTokens ? byteText(token) : null;
}

/** The regular expression of a pattern such as `/[a-z]/i`. @throws {SyntaxError} for one that is none. */
export function expressionOf(pattern: string): RegExp {
  const end = pattern.lastIndexOf("/");
  return new RegExp(pattern.slice(1, end), pattern.slice(end + 1));
}

/**
 * The tokens whose text a pattern matches, ascending.
 *
 * @param textOf how a tokenizer writes them; tokens are bytes where it is left out.
 * @throws {SyntaxError} for a pattern that is no regular expression.
 */
export function matchingTokens(pattern: string, vocabulary: number, textOf: (token: number) => string | null = characterText): number[] {
  const expression = expressionOf(pattern);
  return Array.from({ length: vocabulary }, (_, token) => token).filter((token) => {
    const text = textOf(token);
    return text !== null && expression.test(text);
  });
}
