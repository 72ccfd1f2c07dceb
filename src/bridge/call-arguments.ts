import { z } from "zod";
import { acceptedValues, nearestName, shownValue } from "../config/config-invalid.js";
import { type JsonSchemaNode, withoutSafeIntegerBounds } from "../config/json-schema.js";
import { valueAt } from "../config/json-value.js";
import { BhBridgeError, type ConfigIssue } from "../errors.js";

/**
 * Check the arguments of an API call before anything is sent to Python.
 * @param call name of the function, for the message.
 * @throws {BhBridgeError} `USAGE` with path, value and accepted values of every wrong argument.
 */
export function callArguments<Arguments extends z.ZodObject>(call: string, schema: Arguments, given: unknown): z.output<Arguments> {
  const checked = schema.safeParse(given);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.flatMap((issue) => issuesOf(issue, schema, given));
  throw new BhBridgeError("USAGE", `${call}: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`, { issues, cause: checked.error });
}

function issuesOf(issue: z.core.$ZodIssue, schema: z.ZodObject, given: unknown): ConfigIssue[] {
  if (issue.code === "unrecognized_keys") {
    const names = Object.keys(fieldAt(schema, issue.path)?.properties ?? {});
    return issue.keys.map((key) => ({ path: [...issue.path, key].join("."), message: unknownName(key, names) }));
  }
  return [{ path: issue.path.join(".") || "(arguments)", message: issue.code === "custom" ? issue.message : wrongValue(issue, schema, given) }];
}

function wrongValue(issue: z.core.$ZodIssue, schema: z.ZodObject, given: unknown): string {
  const value = valueAt(issue.path, given);
  const field = fieldAt(schema, issue.path);
  const expected = field ? `expected ${acceptedValues(field)}` : issue.message;
  return value === undefined ? `is missing: ${expected}` : `${shownValue(value)} is not accepted: ${expected}`;
}

function unknownName(key: string, names: readonly string[]): string {
  const near = nearestName(key, names);
  return near === undefined ? `there is no such option; there are ${names.join(", ")}` : `there is no such option; did you mean ${near}?`;
}

function fieldAt(schema: z.ZodObject, path: readonly PropertyKey[]): JsonSchemaNode | undefined {
  const root = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => withoutSafeIntegerBounds(jsonSchema),
  }) as JsonSchemaNode;
  return path.reduce<JsonSchemaNode | undefined>((node, key) => node?.properties?.[String(key)] ?? node?.items, root);
}
