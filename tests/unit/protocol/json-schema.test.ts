import { expect, test } from "vitest";
import { protocolJsonSchema } from "../../../src/protocol/json-schema.js";
import { operations, protocolVersion } from "../../../src/protocol/operations.js";

// That Python's copy is this one, and that both languages agree on messages, is tested with the contract.
const schema = protocolJsonSchema();

test("every operation has the schemas of its request and its reply, under this version", () => {
  expect(schema.protocol).toBe(protocolVersion);
  expect(Object.keys(schema.operations)).toEqual(Object.keys(operations));
  for (const [op, { request, reply }] of Object.entries(schema.operations)) {
    expect(request, op).toMatchObject({ type: "object", additionalProperties: false });
    expect(reply.type === "object" || reply.anyOf !== undefined, op).toBe(true);
  }
});

test("numbers are described as they travel: the words for what is not finite are among them", () => {
  const loss = schema.operations["trainer.evaluate"]?.reply.properties?.["loss"];
  expect(loss).toEqual({ anyOf: [{ type: "number" }, { type: "string", enum: ["NaN", "Infinity", "-Infinity"] }] });
});

test("what a field is for is said elsewhere, once", () => {
  expect(JSON.stringify(schema)).not.toContain('"description"');
});

test("it is plain data", () => {
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
});
