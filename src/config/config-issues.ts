import type { z } from "zod";
import type { ConfigIssue } from "../errors.js";
import { acceptedLiterals, acceptedValues } from "./accepted-values.js";
import { fieldAt, fieldPaths, fieldsOf, rootField } from "./field-catalog.js";
import { isPlainObject } from "./json-value.js";
import { nearestName } from "./nearest-name.js";
import { productOwnedGpt2Config, productOwnedTrainingArguments } from "./product-owned-arguments.js";
import { shownValue } from "./shown-value.js";
import { valueAt } from "./value-at.js";

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
  if (section === "init") return unknownInitField(key, values);
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

function unknownInitField(key: string, values: unknown): string {
  const init = valueAt(["init"], values);
  const kind = isPlainObject(init) ? String(init["kind"]) : "";
  const branches = rootField().properties?.["init"]?.oneOf ?? [];
  const having = branches
    .filter((branch) => branch.properties && Object.hasOwn(branch.properties, key))
    .flatMap((branch) => acceptedKinds(branch.properties?.["kind"]));
  if (having.length > 0) return `init.kind "${kind}" has no ${key}: set init.kind to ${having.join(" or ")}`;
  const names = Object.keys(fieldsOf(rootField().properties?.["init"] ?? {}, init));
  const near = nearestName(key, names);
  return near === undefined ? `unknown field; init.kind "${kind}" has ${names.join(", ")}` : `unknown field; did you mean init.${near}?`;
}

function acceptedKinds(kind: { enum?: unknown[]; const?: unknown } | undefined): string[] {
  return (kind?.enum ?? [kind?.const]).map(String);
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
