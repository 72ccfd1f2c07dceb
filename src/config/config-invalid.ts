import { inspect } from "node:util";
import { closest, distance } from "fastest-levenshtein";
import { BhBridgeError, type ConfigIssue } from "../errors.js";
import type { JsonSchemaNode } from "./json-schema.js";

/** One error for all that is wrong in a configuration: each problem on a line, its source below it. */
export function configInvalid(issues: ConfigIssue[], cause?: unknown): BhBridgeError {
  const title = issues.length === 1 ? "The configuration has a problem:" : `The configuration has ${issues.length} problems:`;
  const lines = issues.map(({ path, message, source }) => `  ${path}: ${message}${source === undefined ? "" : `\n    from ${source}`}`);
  return new BhBridgeError("CONFIG_INVALID", [title, ...lines].join("\n"), cause === undefined ? { issues } : { issues, cause });
}

/** Longest value that a message repeats in full. */
const longestShownValue = 60;

/** A value as a message repeats it, shortened where it is long. */
export function shownValue(value: unknown): string {
  // A caller of the API can give what JSON does not know: a function, NaN, a big integer.
  const isJson = typeof value === "object" || typeof value === "string" || typeof value === "boolean";
  const text = isJson ? JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}` : part)) : inspect(value);
  if (text.length <= longestShownValue) return text;
  return `${text.slice(0, longestShownValue)}…${typeof value === "string" ? ` (${value.length} characters)` : ""}`;
}

/** Longest list of literals that a message spells out in full; the longest of all (40 optimizers) would bury the message. */
const longestList = 16;

/** What a field accepts, in words: `a number from 0 to 1`, `one of "hf", "never", "always"`, `text or null`. */
export function acceptedValues(node: JsonSchemaNode): string {
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives) return joinAlternatives(alternatives.map(acceptedValues));
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return literals(node.enum);
  if (node.pattern === "^cuda:-?\\d+$") return '"cuda:N"';
  if (node.type === "integer") return `an integer${range(node)}`;
  if (node.type === "number") return `a number${range(node)}`;
  if (node.type === "string") return `text${lengths(node)}${node.examples ? ` such as ${node.examples.map((each) => JSON.stringify(each)).join(" or ")}` : ""}`;
  if (node.type === "boolean") return "true or false";
  if (node.type === "null") return "null";
  if (node.type === "array") return `a list${node.minItems ? ` of at least ${node.minItems}` : ""}${node.items ? `, each ${acceptedValues(node.items)}` : ""}`;
  if (node.properties) return `an object with ${Object.keys(node.properties).slice(0, longestList).join(", ")}`;
  return "an object";
}

/** The literal texts that a field accepts, at any depth of alternatives. */
export function acceptedLiterals(node: JsonSchemaNode): string[] {
  const own = node.enum ?? (node.const === undefined ? [] : [node.const]);
  return [...own.filter((value) => typeof value === "string"), ...(node.anyOf ?? []).flatMap(acceptedLiterals)];
}

function joinAlternatives(texts: string[]): string {
  const last = texts.at(-1) ?? "";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} or ${last}`;
}

function literals(values: unknown[]): string {
  const shown = values.slice(0, longestList).map((value) => JSON.stringify(value));
  if (values.length === 1) return shown.join("");
  return `one of ${shown.join(", ")}${values.length > shown.length ? ` and ${values.length - shown.length} more` : ""}`;
}

function lengths({ minLength = 0, maxLength }: JsonSchemaNode): string {
  return maxLength === undefined ? "" : ` of ${minLength} to ${maxLength} characters`;
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const lower = minimum !== undefined ? `of at least ${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : "";
  const upper = maximum !== undefined ? `of at most ${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : "";
  const both = [lower, upper].filter((bound) => bound !== "").join(" and ");
  return both === "" ? "" : ` ${both}`;
}

/**
 * The candidate that a misspelt name most likely means; undefined when none is near. A candidate that begins with the name is near (`rmsnorm` for
 * `rmsnorm-11.2a`); else a third of the letters may differ.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  if (name === "" || candidates.length === 0) return undefined;
  const beginning = candidates.find((candidate) => candidate.startsWith(name));
  if (beginning !== undefined) return beginning;
  const found = closest(name, candidates);
  return distance(name, found) <= Math.ceil(name.length / 3) ? found : undefined;
}
