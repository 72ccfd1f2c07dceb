import { execa } from "execa";
import { expect, test } from "vitest";
import { configJsonSchema, type JsonSchemaNode } from "../../../src/config/json-schema.js";

test("the JSON Schema and the types of a configuration are what its schemas give", async () => {
  const { stderr, exitCode } = await execa(process.execPath, ["scripts/generate-config-schema.mjs", "--check"], { reject: false });
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
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
