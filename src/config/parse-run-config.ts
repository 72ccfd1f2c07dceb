import type { z } from "zod";
import type { ConfigIssue } from "../errors.js";
import { acceptedLiterals, acceptedValues, configInvalid, nearestName, shownValue } from "./config-invalid.js";
import { acceptedConstants, discriminatorOf, fieldAt, fieldPaths, fieldsOf, type JsonSchemaNode, rootField } from "./json-schema.js";
import { isPlainObject, valueAt } from "./json-value.js";
import { withPresentPaths } from "./old-engine-fields.js";
import { checkedRunConfig, type RunConfig, readWritten } from "./run-config-schema.js";
import { productOwnedGpt2Config, productOwnedTrainingArguments } from "./training-schema.js";

type Issue = z.core.$ZodIssue;

const productOwned: Record<string, Readonly<Record<string, string>>> = { training: productOwnedTrainingArguments, model: productOwnedGpt2Config };

/** What people call a value elsewhere, where its spelling would lead to another one: "gpu" is one letter from "cpu". */
const namesElsewhere: Record<string, Readonly<Record<string, string>>> = { device: { gpu: "cuda", metal: "mps" } };

/** Longest list of field names that a message spells out. */
const longestNameList = 12;

/** Dotted path and message of every problem that zod found in a field. */
function configIssues(issues: readonly Issue[], values: unknown): ConfigIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: [...issue.path, key].join("."), message: unknownField(issue.path, key, values) }));
    }
    return [{ path: issue.path.join(".") || "(the whole file)", message: wrongValue(issue, values) }];
  });
}

function unknownField(parent: readonly PropertyKey[], key: string, values: unknown): string {
  const section = parent.join(".");
  const reason = productOwned[section]?.[key];
  if (reason !== undefined) return `is set by bh-bridge: ${reason}`;
  const union = rootField().properties?.[section];
  if (union && discriminatorOf(union) !== undefined) return unknownUnionField(section, union, key, values);
  const parentField = fieldAt(parent, values);
  const names = Object.keys(parentField ? fieldsOf(parentField, valueAt(parent, values)) : {});
  const meant = meantField(section, key, names);
  if (meant !== undefined) return `unknown field; did you mean ${meant}?`;
  return names.length > longestNameList ? "unknown field" : `unknown field; ${section === "" ? "there are" : `${section} has`} ${names.join(", ")}`;
}

/** The field that was meant: one of this name in another section, or the nearest here, or the nearest anywhere. */
function meantField(section: string, key: string, names: readonly string[]): string | undefined {
  const everywhere = fieldPaths();
  const elsewhere = everywhere.find((path) => path.endsWith(`.${key}`));
  if (elsewhere !== undefined) return elsewhere;
  const here = nearestName(key, names);
  if (here !== undefined) return section === "" ? here : `${section}.${here}`;
  const leaf = nearestName(
    key,
    everywhere.map((path) => path.slice(path.lastIndexOf(".") + 1)),
  );
  return leaf === undefined ? undefined : everywhere.find((path) => path === leaf || path.endsWith(`.${leaf}`));
}

/** What is wrong with a field of a section whose fields depend on its kind. */
function unknownUnionField(section: string, union: JsonSchemaNode, key: string, values: unknown): string {
  const name = discriminatorOf(union) ?? "";
  const given = valueAt([section], values);
  const names = Object.keys(fieldsOf(union, given));
  const near = nearestName(key, names);
  const having = (union.oneOf ?? []).filter(({ properties }) => properties && Object.hasOwn(properties, key));
  const kinds = having.flatMap(({ properties }) => acceptedConstants(properties?.[name] ?? {}).map(String));
  const kind = isPlainObject(given) ? (given[name] ?? defaultKind(union, name)) : "";
  if (kinds.length > 0) return `${section}.${name} "${String(kind)}" has no ${key}: set ${section}.${name} to ${kinds.join(" or ")}`;
  if (near !== undefined) return `unknown field; did you mean ${section}.${near}?`;
  const elsewhere = meantField(section, key, names);
  if (elsewhere !== undefined) return `unknown field; did you mean ${elsewhere}?`;
  return names.length > longestNameList ? "unknown field" : `unknown field; ${section}.${name} "${String(kind)}" has ${names.join(", ")}`;
}

function defaultKind(union: JsonSchemaNode, name: string): unknown {
  return union.oneOf?.map(({ properties }) => properties?.[name]?.default).find((value) => value !== undefined);
}

function wrongValue(issue: Issue, values: unknown): string {
  const field = fieldAt(issue.path, values);
  const value = valueAt(issue.path, values);
  const path = issue.path.join(".");
  const expected = field ? `expected ${acceptedValues(field)}` : issue.message;
  if (value === undefined) return `is missing: ${expected}`;
  const near = typeof value === "string" && field ? (namesElsewhere[path]?.[value] ?? nearestName(value, acceptedLiterals(field))) : undefined;
  return `${shownValue(value)} is not accepted: ${near === undefined ? "" : `did you mean "${near}"? `}${expected}`;
}

/**
 * Check a configuration and fill in its defaults.
 * @param given any part of a configuration, as it was written.
 * @param sources source of the values, by dotted path, for the messages.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export function parseRunConfig(given: unknown, sources: ReadonlyMap<string, string> = new Map(), earlier: readonly ConfigIssue[] = []): RunConfig {
  const values = readWritten(given);
  const result = checkedRunConfig.safeParse(values);
  if (result.success && earlier.length === 0) return result.data;
  const issues = result.success ? [] : allIssues(result.error, values).map((issue) => withSource(issue, withPresentPaths(sources), values));
  throw configInvalid([...earlier, ...issues], result.error);
}

/** A problem, and the other fields that a rule between fields read. */
type FoundIssue = ConfigIssue & { reads: readonly string[] };

// zod skips the rules between fields, or checks them with a wrong field: check them with the wrong fields left out, so that nobody has to try twice.
function allIssues(error: z.ZodError, values: unknown): FoundIssue[] {
  const issues: FoundIssue[] = configIssues(
    error.issues.filter((issue) => issue.code !== "custom"),
    values,
  ).map((issue) => ({ ...issue, reads: [] }));
  if (issues.length === 0) return brokenRules(error);
  if (!isPlainObject(values)) return issues;
  const wrong = new Set(issues.map((issue) => issue.path));
  const rest = checkedRunConfig.safeParse(without(values, [...wrong]));
  const between = rest.error ? brokenRules(rest.error) : [];
  return [...issues, ...between.filter(({ path, reads }) => ![path, ...reads].some((field) => wrong.has(field)))];
}

function brokenRules(error: z.ZodError): FoundIssue[] {
  return error.issues.filter((issue) => issue.code === "custom").map(brokenRule);
}

function brokenRule(issue: z.core.$ZodIssueCustom): FoundIssue {
  const reads: unknown = issue.params?.["reads"];
  return { path: issue.path.join("."), message: issue.message, reads: Array.isArray(reads) ? reads.map(String) : [] };
}

/** A copy without the values at these paths; of `init`, whose fields belong together, without all of it. */
function without(values: Record<string, unknown>, paths: readonly string[]): Record<string, unknown> {
  const kept = Object.entries(values).flatMap(([key, value]) => {
    if (paths.includes(key) || (key === "init" && paths.some((path) => path.startsWith("init.")))) return [];
    const below = paths.filter((path) => path.startsWith(`${key}.`)).map((path) => path.slice(key.length + 1));
    if (below.length === 0) return [[key, value]];
    return isPlainObject(value) ? [[key, without(value, below)]] : [];
  });
  return Object.fromEntries(kept);
}

/** The problem with its source. Where a rule between fields is broken, the value that somebody has set is to blame, not the one that was there. */
function withSource({ reads, ...issue }: FoundIssue, sources: ReadonlyMap<string, string>, values: unknown): ConfigIssue {
  const source = sourceOf(issue.path, sources);
  if (source === undefined || isChosen(source)) return source === undefined ? issue : { ...issue, source };
  const chosen = reads.find((path) => valueAt(path.split("."), values) !== undefined && isChosen(sourceOf(path, sources)));
  if (chosen === undefined) return { ...issue, source };
  const message = `${shownValue(valueAt(chosen.split("."), values))} does not fit ${issue.path}: ${issue.message}`;
  return { path: chosen, message, source: sourceOf(chosen, sources) ?? source };
}

/** Whether somebody has set a value: it comes neither from the defaults nor from a preset or a saved model. */
function isChosen(source: string | undefined): boolean {
  return source !== undefined && !/^(?:default$|default of |preset |checkpoint |training_args\.bin of )/.test(source);
}

/** The source of the value at a path, or of what it stands in, or of the first value in it. */
function sourceOf(path: string, sources: ReadonlyMap<string, string>): string | undefined {
  const parts = path.split(".");
  for (let length = parts.length; length > 0; length--) {
    const source = sources.get(parts.slice(0, length).join("."));
    if (source !== undefined) return source;
  }
  return [...sources].find(([below]) => below.startsWith(`${path}.`))?.[1];
}
