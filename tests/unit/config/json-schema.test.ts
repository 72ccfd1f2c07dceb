import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { configJsonSchema, type JsonSchemaNode } from "../../../src/config/json-schema.js";

test("schemas/config.schema.json is what the schema gives; else run: node scripts/generate-config-schema.mjs", async () => {
  const file = await readFile(new URL("../../../schemas/config.schema.json", import.meta.url), "utf8");
  expect(file).toBe(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
});

test("every field has a description", () => {
  expect(undescribed(configJsonSchema(), "")).toEqual([]);
});

test("the check of descriptions sees into sections and unions", () => {
  const union = { properties: { init: { description: "x", oneOf: [{ properties: { kind: {} } }] }, seed: { description: "x" } } };
  expect(undescribed(union, "")).toEqual(["init.kind"]);
});

function undescribed(node: JsonSchemaNode, prefix: string): string[] {
  return [node, ...(node.oneOf ?? [])].flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([name, field]) => [
      ...(field.description ? [] : [`${prefix}${name}`]),
      ...undescribed(field, `${prefix}${name}.`),
    ]),
  );
}
