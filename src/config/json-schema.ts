import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { isPlainObject } from "./json-value.js";
import { presetNames } from "./presets.js";
import { runConfigFields } from "./run-config-fields.js";
import { writtenRunConfig } from "./run-config-schema.js";

/** One node of a JSON Schema, as far as a configuration's has them. */
export interface JsonSchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  minLength?: number;
  maxLength?: number;
  examples?: unknown[];
  properties?: Record<string, JsonSchemaNode>;
  items?: JsonSchemaNode;
  anyOf?: JsonSchemaNode[];
  oneOf?: JsonSchemaNode[];
}

/** The `$schema` of a written file. */
export const schemaField = z.string().optional().describe("The JSON Schema of this file, for editors.");

/** Fields of a configuration file that are not part of the configuration. */
const fileFields = {
  $schema: schemaField,
  preset: z.enum(presetNames).optional().describe("Preset that provides the values of omitted fields."),
};

/** Absolute path of the JSON Schema of configuration files. */
export const configSchemaFile = fileURLToPath(new URL("../../schemas/config.schema.json", import.meta.url));

/** Path of that JSON Schema from a folder; undefined outside the project that has this package as a dependency, or is it: paths there depend on the machine. */
export function configSchemaFrom(folder: string): string | undefined {
  const [project = "", inPackage] = configSchemaFile.split(`${sep}node_modules${sep}`);
  const root = inPackage === undefined ? join(configSchemaFile, "../..") : project;
  if (relative(root, folder).split(sep)[0] === "..") return undefined;
  const path = relative(folder, configSchemaFile).replaceAll(sep, "/");
  return path.startsWith("../") ? path : `./${path}`;
}

// zod writes the bounds of a safe integer for every integer, which only distracts a reader.
const safeIntegerBounds = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/** Remove the bounds of a safe integer from a node. */
export function withoutSafeIntegerBounds(node: z.core.JSONSchema.BaseSchema): void {
  if (node.minimum !== undefined && safeIntegerBounds.has(node.minimum)) delete node.minimum;
  if (node.maximum !== undefined && safeIntegerBounds.has(node.maximum)) delete node.maximum;
}

function jsonSchemaOf(schema: z.ZodType): JsonSchemaNode {
  return z.toJSONSchema(schema, { io: "input", override: ({ jsonSchema }) => withoutSafeIntegerBounds(jsonSchema) }) as JsonSchemaNode;
}

/** JSON Schema (draft 2020-12) of a configuration file, for editors; `schemas/config.schema.json` holds it. */
export function configJsonSchema(): JsonSchemaNode & Record<string, unknown> {
  return {
    ...jsonSchemaOf(writtenRunConfig.extend(fileFields)),
    title: "bh-bridge run",
    description: "The configuration of one run of bh-bridge: any part of it; the rest comes from a preset.",
  };
}

let cached: JsonSchemaNode | undefined;

/** The JSON Schema of the fields of a configuration file without old names, made once. */
export function rootField(): JsonSchemaNode {
  cached ??= jsonSchemaOf(runConfigFields.extend(fileFields));
  return cached;
}

/** The fields of an object; of a union, those of the branch that the value names. */
export function fieldsOf(node: JsonSchemaNode, value: unknown): Record<string, JsonSchemaNode> {
  return node.properties ?? branchOf(node, value)?.properties ?? {};
}

/** The branch of a union that a value belongs to; by default the one whose discriminator has a default. */
function branchOf(union: JsonSchemaNode, value: unknown): JsonSchemaNode | undefined {
  const name = discriminatorOf(union);
  if (name === undefined) return undefined;
  const given = isPlainObject(value) ? value[name] : undefined;
  return union.oneOf?.find(({ properties }) => {
    const field = properties?.[name] ?? {};
    return given === undefined ? field.default !== undefined : acceptedConstants(field).includes(given);
  });
}

/** The discriminator of a union; undefined for other nodes. */
export function discriminatorOf(node: JsonSchemaNode): string | undefined {
  return ["kind", "type", "name"].find((name) => node.oneOf?.every((branch) => branch.properties?.[name]));
}

/** The constants that a field accepts. */
export function acceptedConstants({ const: only, enum: several }: JsonSchemaNode): readonly unknown[] {
  return several ?? (only === undefined ? [] : [only]);
}

/** The schema of the field at a path; `value` is the whole configuration, which says what kind a union is of. */
export function fieldAt(path: readonly PropertyKey[], value: unknown): JsonSchemaNode | undefined {
  let node: JsonSchemaNode | undefined = rootField();
  let current = value;
  for (const key of path) {
    if (node === undefined) return undefined;
    const kinds: JsonSchemaNode | undefined = key === discriminatorOf(node) ? kindField(node, String(key)) : undefined;
    node = kinds ?? fieldsOf(node, current)[String(key)] ?? itemsOf(node);
    current = isPlainObject(current) ? current[String(key)] : undefined;
  }
  return node;
}

function itemsOf(node: JsonSchemaNode): JsonSchemaNode | undefined {
  return node.items ?? node.anyOf?.map(itemsOf).find((items) => items !== undefined);
}

/** The field of a union that names its branches: every value that one accepts. */
function kindField(union: JsonSchemaNode, name: string): JsonSchemaNode {
  const fields = (union.oneOf ?? []).map((branch) => branch.properties?.[name] ?? {});
  return { type: "string", enum: fields.flatMap(acceptedConstants) };
}

/** Dotted paths of all fields that hold a value, without sections and `$schema`; a union has the fields of all its branches. */
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
