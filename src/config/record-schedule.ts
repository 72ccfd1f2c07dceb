import { z } from "zod";

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
