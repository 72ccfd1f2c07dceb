import { z } from "zod";
import { parseValue } from "../../config/layers.js";
import type { ConfigIssue } from "../../errors.js";

/** Catches typing mistakes such as `1..1000000`. */
const maxRangeLength = 100_000;

/** The whole numbers of `42..51`, both ends included, in either direction; undefined for other text. */
export function wholeRange(text: string): number[] | undefined {
  const [, first, last] = /^\s*(-?\d{1,15})\s*\.\.\s*(-?\d{1,15})\s*$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [Number(first), Number(last)];
  const length = Math.abs(to - from) + 1;
  if (length > maxRangeLength) return undefined;
  return Array.from({ length }, (_, index) => (to >= from ? from + index : from - index));
}

export const jsonValueSchema = z.json();

/** `[first, last, count]`: both ends included. */
const span = z.tuple([z.number(), z.number(), z.int().min(2).max(100_000)]);

const wholeRangeSchema = z
  .string()
  .refine((text) => wholeRange(text) !== undefined, { error: 'is not a range of whole numbers, for example "42..51"' })
  .meta({ pattern: "^\\s*-?\\d{1,15}\\s*\\.\\.\\s*-?\\d{1,15}\\s*$" });

/** The values of one axis, as written. */
export const axisSchema = z
  .union(
    [
      z.array(jsonValueSchema).min(1),
      wholeRangeSchema,
      z.strictObject({ linspace: span.describe("[first, last, count], evenly spaced, both ends included.") }),
      z.strictObject({
        logspace: span
          .refine(([first, last]) => first > 0 && last > 0, { error: "both ends of a logspace must be above 0" })
          .describe("[first, last, count], evenly spaced by ratio, both ends included."),
      }),
    ],
    { error: "expected a list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}" },
  )
  .describe("A list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}.");

type Axis = z.output<typeof axisSchema>;

/** Enough digits to distinguish points, and few enough to write 1e-5 as such. */
const pointDigits = 12;

export function axisValues(axis: Axis): z.core.util.JSONType[] {
  if (Array.isArray(axis)) return axis;
  if (typeof axis === "string") return wholeRange(axis) ?? [];
  if ("linspace" in axis) return points(axis.linspace, (first, last, share) => first + (last - first) * share);
  return points(axis.logspace, (first, last, share) => first * (last / first) ** share);
}

function points([first, last, count]: [number, number, number], at: (first: number, last: number, share: number) => number): number[] {
  const between = (index: number) => Number(at(first, last, index / (count - 1)).toPrecision(pointDigits));
  return Array.from({ length: count }, (_, index) => (index === 0 ? first : index === count - 1 ? last : between(index)));
}

/** An axis from the command line: its field and unchecked values. */
export interface AxisText {
  path: string;
  values: unknown;
}

/**
 * Parse `path=values`: `a=1,2,3`, `a=1..9`, `a=logspace:1e-6,1e-3,7`, `a=linspace:0,1,5`, or JSON (`a=[1,2]`, `a={"logspace":[1e-6,1e-3,7]}`).
 * @param option its option, for messages.
 */
export function parseAxisText(text: string, option: string, issues: ConfigIssue[]): AxisText | undefined {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(0, equals)).trim();
  const written = text.slice(equals + 1).trim();
  if (!/^[^.\s]+(\.[^.\s]+)*$/.test(path) || written === "") {
    issues.push({ path: text, message: "is not path=values, for example training.learning_rate=1e-3,3e-4", source: option });
    return undefined;
  }
  return { path, values: valuesOf(written) };
}

function valuesOf(written: string): unknown {
  const json = parseValue(written);
  if (typeof json === "object" && json !== null) return json;
  if (/^-?\d+\s*\.\.\s*-?\d+$/.test(written)) return written;
  const [, space, span] = /^(logspace|linspace):(.*)$/.exec(written) ?? [];
  if (space !== undefined && span !== undefined) return { [space]: span.split(",").map((part) => parseValue(part.trim())) };
  return written.split(",").map((part) => parseValue(part.trim()));
}

/** Parse seeds from the command line: `42..51`, `1,2,5`, or one. */
export function parseSeedsText(text: string): unknown {
  const parts = text.split(",").map((part) => part.trim());
  return parts.length > 1 ? parts.map(parseValue) : parseValue(text.trim());
}
