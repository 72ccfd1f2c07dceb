// Reads JSON Schemas: the type of a field in words, and the fields of an object by their paths.
import { code } from "./markdown.mjs";

/** Patterns in words. */
const patterns = {
  "^cuda:-?\\d+$": "`cuda:N`",
  "^[A-Za-z_]\\w*\\.\\w+(?:\\.\\w+)*$": "the name of a parameter",
  "^[^\\W\\d]\\w*$": "a name in Python",
  "^\\/.+\\/[iu]*$": "a regular expression",
  "^[0-9a-f]{64}$": "SHA-256 in hex",
  "^\\s*-?\\d{1,15}\\s*\\.\\.\\s*-?\\d{1,15}\\s*$": "a range such as `42..51`",
  "^\\s*(C|P|unique|loss)\\s*(<=|>=|<|>)\\s*([-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?)\\s*$": "a comparison such as `C <= 1`",
};

/** How a reference is called in a type, by the end of its name. */
const references = [
  [/Json|__schema\d+|^ModelField$/, "any JSON value"],
  [/^configuration$/, "[configuration](configuration.md)"],
];

const jsonTypes = { string: "string", number: "number", integer: "integer", boolean: "boolean", null: "`null`", object: "object" };

/** The values of a node that accepts only constants. */
export function constantsOf({ const: only, enum: several }) {
  return several ?? (only === undefined ? undefined : [only]);
}

/** The alternatives of a node, without nesting. */
export function alternativesOf(node) {
  const below = node.anyOf ?? node.oneOf;
  return below ? below.flatMap(alternativesOf) : [node];
}

function referenced(node, definitions) {
  const name = node.$ref?.split("/").pop();
  return name === undefined ? node : (definitions[name] ?? node);
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const low = minimum !== undefined ? `at least ${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : "";
  const high = maximum !== undefined ? `at most ${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : "";
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return low || high ? ` ${[low, high].filter(Boolean).join(" and ")}` : "";
}

function simpleType(node) {
  const constants = constantsOf(node);
  if (constants) return constants.map((value) => code(typeof value === "string" ? value : JSON.stringify(value))).join(", ");
  if (node.$ref) {
    const name = node.$ref.split("/").pop();
    return references.find(([pattern]) => pattern.test(name))?.[1] ?? "any JSON value";
  }
  if (Array.isArray(node.type)) return node.type.map((type) => jsonTypes[type]).join(" or ");
  if (node.pattern)
    return (
      patterns[node.pattern] ??
      (node.examples ? `string such as ${node.examples.map((each) => code(each)).join(", ")}` : `string matching ${code(node.pattern)}`)
    );
  if (node.type === "array" && node.prefixItems) return `\\[${node.prefixItems.map(typeOf).join(", ")}\\]`;
  if (node.type === "array") return `list of ${listed(node.items ?? {}, "s")}`;
  if (node.type === "object" && !node.properties && isSchema(node.additionalProperties)) return `map of names to ${listed(node.additionalProperties, "s")}`;
  if (node.type) return `${jsonTypes[node.type]}${range(node)}`;
  return "any JSON value";
}

const isSchema = (node) => typeof node === "object" && node !== null;

/** The type of the items of a list: one word in the plural, several in parentheses. */
function listed(node, plural) {
  const text = typeOf(node);
  if (text.includes(" or ") || text.includes(", ")) return `(${text})`;
  return text.replace(/^(string|number|integer|boolean|object|list|map)(?= |$)|(?<=^any JSON )value$/, `$&${plural}`);
}

/** The type of a node as Markdown. */
export function typeOf(node) {
  const texts = [...new Set(alternativesOf(node).map(simpleType))];
  if (texts.length === 1 && constantsOf(node)?.length > 1) return texts[0].replace(/, (?=[^,]*$)/, " or ");
  return texts.join(" or ");
}

/** The field by which the branches of a union differ. */
function discriminatorOf({ oneOf, anyOf }) {
  const branches = oneOf ?? anyOf ?? [];
  return branches.length > 1 ? ["kind", "type", "name", "schema"].find((name) => branches.every((branch) => branch.properties?.[name])) : undefined;
}

/**
 * The fields below a node: `{ path, node, required, only }`, depth first. `only` has the values of the discriminators of the unions that they belong to. Fields
 * of the items of a list have `[]` in their path, those of a record `NAME`.
 */
export function fieldsBelow(node, definitions = {}, prefix = "", only = [], seen = []) {
  const target = referenced(node, definitions);
  if (seen.includes(target)) return [];
  const inside = [...seen, target];
  const union = discriminatorOf(target);
  const branches = target.oneOf ?? target.anyOf ?? [];
  if (branches.length > 0) {
    return branches.flatMap((branch) => {
      const values = union === undefined ? undefined : constantsOf(branch.properties[union]);
      return fieldsBelow(branch, definitions, prefix, values ? [...only, { path: join(prefix, union), values }] : only, inside);
    });
  }
  if (target.type === "array" && isSchema(target.items)) return fieldsBelow(target.items, definitions, `${prefix}[]`, only, inside);
  const own = Object.entries(target.properties ?? {}).flatMap(([name, field]) => {
    const path = join(prefix, name);
    const required = target.required?.includes(name) ?? false;
    return [{ path, node: field, required, only }, ...fieldsBelow(field, definitions, path, only, inside)];
  });
  const record = isSchema(target.additionalProperties) ? fieldsBelow(target.additionalProperties, definitions, join(prefix, "NAME"), only, inside) : [];
  return [...own, ...record];
}

function join(prefix, name) {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** Fields of several branches that are the same field, once: `{ path, variants }`, each variant with the branches that have it. */
export function merged(fields) {
  const byPath = groupBy(fields);
  return [...byPath].map(([path, entries]) => {
    const variants = [];
    for (const { node, required, only } of entries) {
      const same = variants.find((variant) => JSON.stringify(variant.node) === JSON.stringify(node));
      if (same) same.only.push(only);
      else variants.push({ node, required, only: [only] });
    }
    return { path, variants };
  });
}

function groupBy(fields) {
  const groups = new Map();
  for (const field of fields) groups.set(field.path, [...(groups.get(field.path) ?? []), field]);
  return groups;
}
