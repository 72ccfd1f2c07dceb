import { z } from "zod";
import { configJsonSchema, fieldPaths, type JsonSchemaNode, schemaField, withoutSafeIntegerBounds } from "../config/json-schema.js";
import { experimentSchema } from "./experiment/load-experiment.js";
import { axisSchema } from "./grammar/axis.js";
import { sweepSchema } from "./grammar/sweep-schema.js";
import { tableRulesSchema } from "./judge/judge.js";

const anyConfig = { $ref: "#/$defs/configuration" };

/** JSON Schema (draft 2020-12) of an experiment file, for editors: `schemas/experiment.schema.json`. Base and arms have the fields of a configuration. */
export function experimentJsonSchema(): Record<string, unknown> {
  const schema = jsonSchemaOf(experimentSchema);
  const { base, arms } = schema.properties ?? {};
  const { $schema: _, additionalProperties: __, ...configuration } = configJsonSchema(); // a field may also be written by its dotted path
  return {
    ...schema,
    title: "bh-bridge experiment",
    description: "Arms × seeds, and the rules to judge them.",
    properties: {
      ...schema.properties,
      base: { ...(base as object), anyOf: [{ type: "string", minLength: 1 }, anyConfig] },
      arms: { ...(arms as object), additionalProperties: anyConfig, minProperties: 2 },
    },
    $defs: { configuration },
  };
}

/** JSON Schema (draft 2020-12) of a sweep file, for editors: `schemas/sweep.schema.json`. Axes have the fields of a configuration. */
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
    description: "Many runs of bh-bridge: their base and what varies.",
    $defs: { ...(schema["$defs"] as object), axis, axes },
    properties: {
      ...schema.properties,
      base: { ...written, anyOf: [{ type: "string", description: "A preset, or a configuration file." }, base] } as JsonSchemaNode,
      grid: { description: grid?.description, $ref: "#/$defs/axes" } as JsonSchemaNode,
      zip: { description: zip?.description, $ref: "#/$defs/axes" } as JsonSchemaNode,
    },
  };
}

/** JSON Schema (draft 2020-12) of a file with the rules of a judgement, for editors: `schemas/rules.schema.json`. */
export function rulesJsonSchema(): Record<string, unknown> {
  return {
    ...jsonSchemaOf(tableRulesSchema.extend({ $schema: schemaField })),
    title: "bh-bridge rules",
    description: "The rules to judge a table of results.",
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonSchemaNode & Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input", override: ({ jsonSchema }) => withoutSafeIntegerBounds(jsonSchema) }) as JsonSchemaNode &
    Record<string, unknown>;
}
