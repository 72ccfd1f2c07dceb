import { z } from "zod";
import { fieldPaths } from "../../config/field-catalog.js";
import { configJsonSchema, type JsonSchemaNode, withoutSafeIntegerBounds } from "../../config/json-schema.js";
import { axisSchema } from "./axis.js";
import { sweepSchema } from "./sweep-schema.js";

/** JSON Schema (draft 2020-12) of a sweep's file, for editors, which offer the fields of a configuration as axes; `schemas/sweep.schema.json` holds it. */
export function sweepJsonSchema(): JsonSchemaNode & Record<string, unknown> {
  const schema = jsonSchemaOf(sweepSchema);
  const { $schema: _, title: _title, ...base } = configJsonSchema();
  const { grid, zip, base: written } = schema.properties ?? {};
  const { $schema: _draft, $defs: _json, ...axis } = jsonSchemaOf(axisSchema);
  const axes = {
    type: "object",
    additionalProperties: { $ref: "#/$defs/axis" },
    properties: Object.fromEntries(["engine", ...fieldPaths()].map((path) => [path, { $ref: "#/$defs/axis" }])),
  };
  return {
    ...schema,
    title: "bh-bridge sweep",
    description: "Many runs of bh-bridge: what they start from, and what varies.",
    $defs: { ...(schema["$defs"] as object), axis, axes },
    properties: {
      ...schema.properties,
      base: { ...written, anyOf: [{ type: "string", description: "A preset, or a configuration file." }, base] } as JsonSchemaNode,
      grid: { description: grid?.description, $ref: "#/$defs/axes" } as JsonSchemaNode,
      zip: { description: zip?.description, $ref: "#/$defs/axes" } as JsonSchemaNode,
    },
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonSchemaNode & Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input", override: ({ jsonSchema }) => withoutSafeIntegerBounds(jsonSchema) }) as JsonSchemaNode &
    Record<string, unknown>;
}
