import { z } from "zod";
import { configJsonSchema, withoutSafeIntegerBounds } from "../../config/json-schema.js";
import { experimentSchema } from "./experiment-schema.js";

const anyConfig = { $ref: "#/$defs/configuration" };

/** JSON Schema (draft 2020-12) of an experiment file, for editors; `schemas/experiment.schema.json` holds it. Base and arms have the fields of a configuration. */
export function experimentJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(experimentSchema, { io: "input", override: ({ jsonSchema }) => withoutSafeIntegerBounds(jsonSchema) });
  const { base, arms } = schema.properties ?? {};
  const { $schema: _, additionalProperties: __, ...configuration } = configJsonSchema(); // a field may also be written by its dotted path
  return {
    ...schema,
    title: "bh-bridge experiment",
    description: "Arms × seeds, and the rules that they are judged by.",
    properties: {
      ...schema.properties,
      base: { ...(base as object), anyOf: [{ type: "string", minLength: 1 }, anyConfig] },
      arms: { ...(arms as object), additionalProperties: anyConfig, minProperties: 2 },
    },
    $defs: { configuration },
  };
}
