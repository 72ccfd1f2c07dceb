import type { z } from "zod";
import type { ConfigIssue } from "../errors.js";
import { acceptedLiterals, acceptedValues, nearestName, shownValue } from "./config-invalid.js";
import { acceptedConstants, discriminatorOf, fieldAt, fieldPaths, fieldsOf, type JsonSchemaNode, rootField } from "./json-schema.js";
import { isPlainObject, valueAt } from "./json-value.js";
import { productOwnedGpt2Config, productOwnedTrainingArguments } from "./training-schema.js";

type Issue = z.core.$ZodIssue;

const productOwned: Record<string, Readonly<Record<string, string>>> = { training: productOwnedTrainingArguments, model: productOwnedGpt2Config };

/** What people call a value elsewhere, where its spelling would lead to another one: "gpu" is one letter from "cpu". */
const namesElsewhere: Record<string, Readonly<Record<string, string>>> = { device: { gpu: "cuda", metal: "mps" } };

/** Longest list of field names that a message spells out. */
const longestNameList = 12;

/** Dotted path and message of every problem that zod found in a field. */
export function configIssues(issues: readonly Issue[], values: unknown): ConfigIssue[] {
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
