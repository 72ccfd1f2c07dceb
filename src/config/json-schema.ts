import { z } from "zod";
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

/** What a configuration file may hold beside any part of a configuration. */
const fileFields = {
  $schema: z.string().optional().describe("The JSON Schema of this file, for editors."),
  preset: z.enum(presetNames).optional().describe("Preset whose values fill in what is left out."),
};

// zod states the bounds of a safe integer for every integer: true, and noise to a reader.
const safeIntegerBounds = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/** Leave the bounds of a safe integer out of a node. */
export function withoutSafeIntegerBounds(node: z.core.JSONSchema.BaseSchema): void {
  if (node.minimum !== undefined && safeIntegerBounds.has(node.minimum)) delete node.minimum;
  if (node.maximum !== undefined && safeIntegerBounds.has(node.maximum)) delete node.maximum;
}

/** The fields of a configuration file in today's form alone: what messages and generated files name. */
export function fieldsJsonSchema(): JsonSchemaNode {
  return jsonSchemaOf(runConfigFields.extend(fileFields));
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
