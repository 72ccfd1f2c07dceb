import { configJsonSchema, type JsonSchemaNode } from "./json-schema.js";
import { isPlainObject } from "./json-value.js";

let cached: JsonSchemaNode | undefined;

/** The JSON Schema of a whole configuration file, made once. */
export function rootField(): JsonSchemaNode {
  cached ??= configJsonSchema();
  return cached;
}

/** The fields of an object; of a union by `kind`, those of the branch that the value names. */
export function fieldsOf(node: JsonSchemaNode, value: unknown): Record<string, JsonSchemaNode> {
  if (node.properties) return node.properties;
  const kind = isPlainObject(value) ? value["kind"] : undefined;
  return node.oneOf?.find((branch) => acceptsKind(branch, kind))?.properties ?? {};
}

function acceptsKind(branch: JsonSchemaNode, kind: unknown): boolean {
  if (kind === undefined) return false;
  const accepted = branch.properties?.["kind"];
  return accepted?.const === kind || (accepted?.enum?.includes(kind) ?? false);
}

/** The schema of the field at a path; `value` is the whole configuration, which says what kind a union is of. */
export function fieldAt(path: readonly PropertyKey[], value: unknown): JsonSchemaNode | undefined {
  let node: JsonSchemaNode | undefined = rootField();
  let current = value;
  for (const key of path) {
    if (node === undefined) return undefined;
    const kinds: JsonSchemaNode | undefined = key === "kind" && node.oneOf ? kindField(node) : undefined;
    node = kinds ?? fieldsOf(node, current)[String(key)] ?? itemsOf(node);
    current = isPlainObject(current) ? current[String(key)] : undefined;
  }
  return node;
}

function itemsOf(node: JsonSchemaNode): JsonSchemaNode | undefined {
  return node.items ?? node.anyOf?.find((alternative) => alternative.items)?.items;
}

/** The field `kind` of a union: every value that a branch accepts. */
function kindField(union: JsonSchemaNode): JsonSchemaNode {
  const accepted = (union.oneOf ?? []).map((branch) => branch.properties?.["kind"]);
  return { type: "string", enum: accepted.flatMap((kind) => kind?.enum ?? (kind?.const === undefined ? [] : [kind.const])) };
}

/** Dotted paths of all fields that hold a value, sections and `$schema` left out; a union gives the fields of all its branches. */
export function fieldPaths(node: JsonSchemaNode = rootField(), prefix = ""): string[] {
  const branches = node.properties ? [node] : (node.oneOf ?? []);
  const paths = branches.flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([name, field]) => {
      const below = fieldPaths(field, `${prefix}${name}.`);
      return below.length > 0 ? below : name === "$schema" ? [] : [`${prefix}${name}`];
    }),
  );
  return [...new Set(paths)];
}
