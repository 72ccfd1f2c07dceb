import { z } from "zod";
import { channelCommandSchema, channelMessageSchema, coalescibleEvents, trainEventSchema } from "./events.js";
import { operations, protocolVersion, pythonErrorSchema } from "./operations.js";

/** As on the wire, where a number that is not finite is a string. Descriptions and examples are in the JSON Schema of the configuration. */
function onTheWire(schema: z.ZodType) {
  return z.toJSONSchema(schema, {
    io: "input",
    override({ jsonSchema }) {
      delete jsonSchema.description;
      delete jsonSchema.examples;
    },
  });
}

/** The JSON Schemas of every message, which Python checks requests against; kept as `python/bh_bridge/bridge/protocol.schema.json`. */
export function protocolJsonSchema() {
  return {
    protocol: protocolVersion,
    operations: Object.fromEntries(
      Object.entries(operations).map(([op, { request, reply }]) => [op, { request: onTheWire(request), reply: onTheWire(reply) }]),
    ),
    error: onTheWire(pythonErrorSchema),
    event: onTheWire(trainEventSchema),
    message: onTheWire(channelMessageSchema),
    command: onTheWire(channelCommandSchema),
    coalescibleEvents,
  };
}
