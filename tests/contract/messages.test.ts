import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { z } from "zod";
import { channelCommandSchema, channelMessageSchema, trainEventSchema } from "../../src/protocol/events.js";
import { protocolJsonSchema } from "../../src/protocol/json-schema.js";
import { operations, pythonErrorSchema } from "../../src/protocol/operations.js";
import { type GoldenMessage, goldenMessages } from "./golden-messages.js";

const stored = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const golden = stored("tests/contract/golden-messages.json") as GoldenMessage[];

function schemaOf({ kind, op }: GoldenMessage): z.ZodType {
  if (op !== undefined) return kind === "reply" ? operations[op].reply : operations[op].request;
  const schemas = { event: trainEventSchema, message: channelMessageSchema, command: channelCommandSchema, error: pythonErrorSchema };
  return schemas[kind as keyof typeof schemas];
}

test.each(golden)("$kind, $name: valid is $valid", (entry) => {
  expect(schemaOf(entry).safeParse(entry.message).success).toBe(entry.valid);
});

test("numbers that JSON has not arrive as what they are", () => {
  const parse = (name: string) => {
    const entry = golden.find((candidate) => candidate.name === name);
    if (!entry) throw new Error(`there is no golden message ${name}`);
    return schemaOf(entry).parse(entry.message);
  };
  expect(parse("step_end with a loss of NaN")).toMatchObject({ loss: Number.NaN });
  expect(parse("log")).toMatchObject({ logs: { loss: 2.5, grad_norm: Number.POSITIVE_INFINITY } });
  expect(parse("trainer.train: reply 1")).toMatchObject({ best_metric: Number.NEGATIVE_INFINITY, log_history: [{ loss: Number.NaN }] });
});

/** Paths of the objects in a JSON Schema that take keys of any name. */
function openObjects(node: unknown, path: string): string[] {
  if (typeof node !== "object" || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((item) => openObjects(item, path));
  const schema = node as Record<string, unknown>;
  const isOpen = (schema["type"] === "object" || "properties" in schema || "propertyNames" in schema) && schema["additionalProperties"] !== false;
  const isAnything = Object.keys(schema).length === 0 || "$ref" in schema;
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, unknown>).flatMap(([name, below]) => openObjects(below, `${path}.${name}`));
  const below = ["anyOf", "oneOf", "allOf", "items"].flatMap((key) => openObjects(schema[key], path));
  return [...new Set([...(isOpen || isAnything ? [path] : []), ...properties, ...below])];
}

test("no key reaches Python that a schema does not name, but for arguments that HF calls by name and that are plain values", () => {
  const open = Object.entries(protocolJsonSchema().operations).flatMap(([op, { request }]) => openObjects(request, op));
  expect([...open].sort((a, b) => b.localeCompare(a))).toEqual([
    "trainer.create.training.lr_scheduler_kwargs", // numbers and names of a schedule's own function
    "trainer.create.training.liger_kernel_config", // switches of Liger's kernels
    "trainer.create.training.activation_checkpointing_kwargs", // those of torch.utils.checkpoint; what could run there is a function, which JSON has not
    "trainer.create.record.schedules", // names of recorded tensors, which are only looked up
    "model.create.config.rope_parameters", // names and plain values that transformers checks
    "model.create.config.fields", // arguments of the constructor in the user's own code
    "model.create.config", // fields of a family that Python alone knows: their names are checked against its class
  ]);
});

test.each(["custom_generate", "trust_remote_code", "assistant_model", "generation_config", "logits_processor", "streamer", "stopping_criteria"])(
  "%s is no option of generating",
  (name) => {
    const request = { handle: { slot: 0, generation: 1 }, tokens: [65], options: { max_new_tokens: 2, [name]: "/somewhere" }, seed: null };
    expect(operations["model.generate"].request.safeParse(request).success).toBe(false);
  },
);

test("what Python reads is made from these schemas and these messages; else run npm run generate:protocol", () => {
  expect(stored("python/bh_bridge/bridge/protocol.schema.json")).toEqual(JSON.parse(JSON.stringify(protocolJsonSchema())));
  expect(golden).toEqual(JSON.parse(JSON.stringify(goldenMessages())));
});
