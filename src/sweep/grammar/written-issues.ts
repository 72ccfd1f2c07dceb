import type { z } from "zod";
import { nearestName } from "../../config/nearest-name.js";
import { shownValue } from "../../config/shown-value.js";
import { valueAt } from "../../config/value-at.js";
import type { ConfigIssue } from "../../errors.js";

/**
 * What is wrong in a sweep (or an experiment) as it is written, each with its place.
 *
 * @param names the fields that it has at its top.
 */
export function writtenIssues(error: z.ZodError, values: unknown, names: readonly string[], sourceOf: (path: string) => string): ConfigIssue[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => issueAt([...issue.path, key], unknownField(issue.path, key, names), sourceOf));
    }
    const value = valueAt(issue.path, values);
    const message = value === undefined ? "is missing" : `${shownValue(value)} is not accepted: ${issue.message}`;
    return [issueAt(issue.path, message, sourceOf)];
  });
}

function unknownField(parent: readonly PropertyKey[], key: string, names: readonly string[]): string {
  if (parent.length > 0) return "unknown field";
  const near = nearestName(key, names);
  return near === undefined ? `unknown field; there are ${names.join(", ")}` : `unknown field; did you mean ${near}?`;
}

function issueAt(path: readonly PropertyKey[], message: string, sourceOf: (path: string) => string): ConfigIssue {
  const dotted = path.join(".");
  return { path: dotted || "(the whole file)", message, source: sourceOf(dotted) };
}
