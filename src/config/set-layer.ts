import type { ConfigIssue } from "../errors.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layer.js";
import { presentPath } from "./old-engine-fields.js";

/** A value at a dotted path. */
export interface Assignment {
  path: string;
  value: unknown;
  source: string;
}

/** A value as a command line has it: JSON where it is JSON, else text. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON is the rule, not an error: names and paths are written without quotes
  }
}

/** The layer of `--set path=value` arguments; of two that name one path the later holds. */
export function setLayer(texts: readonly string[], issues: ConfigIssue[]): Layer {
  const assignments: Assignment[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const path = text.slice(0, Math.max(0, equals)).trim();
    if (/^[^.\s]+(\.[^.\s]+)*$/.test(path)) assignments.push({ path, value: parseValue(text.slice(equals + 1)), source: "--set" });
    else issues.push({ path: text, message: "is not path=value, for example training.learning_rate=3e-4", source: "--set" });
  }
  return assignmentLayer(assignments);
}

/** A layer of single values. */
export function assignmentLayer(given: readonly Assignment[]): Layer {
  // As text, `engine` would replace what other assignments put into the section.
  const assignments = given.map((each) => (each.path === "engine" && typeof each.value === "string" ? { ...each, path: presentPath(each.path) } : each));
  const values: Record<string, unknown> = {};
  for (const { path, value } of assignments) assign(values, path.split("."), value);
  return { values, sourceOf: (path) => sourceAt(assignments, path) };
}

function assign(target: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  const existing = Object.hasOwn(target, key) ? target[key] : undefined;
  const below = isPlainObject(existing) ? existing : {};
  define(target, key, rest.length === 0 ? value : below);
  if (rest.length > 0) assign(below, rest, value);
}

// Plain assignment to `__proto__` would change the object's prototype instead of making a key that can be refused.
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function sourceAt(assignments: readonly Assignment[], path: string): string {
  const covering = assignments.findLast((assignment) => path === assignment.path || path.startsWith(`${assignment.path}.`));
  return (covering ?? assignments.find((assignment) => assignment.path.startsWith(`${path}.`)) ?? assignments[0])?.source ?? "--set";
}
