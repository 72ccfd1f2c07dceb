import { execa } from "execa";
import { expect, test } from "vitest";
import { configJsonSchema, fieldAt, fieldPaths, fieldsOf, type JsonSchemaNode, rootField } from "../../../src/config/json-schema.js";

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

const init = () => rootField().properties?.["init"] ?? {};

test("a union has the fields of the branch that the value names, by either of its names", () => {
  expect(Object.keys(fieldsOf(init(), { kind: "snowball" }))).toEqual(["kind", "sigma"]);
  expect(Object.keys(fieldsOf(init(), { kind: "qwen" }))).toEqual(Object.keys(fieldsOf(init(), { kind: "singular" })));
  expect(fieldsOf(init(), { kind: "unknown" })).toEqual({});
  expect(fieldsOf(init(), "snowball")).toEqual({});
});

test("a field is found by its path, in a union by the kind that the configuration has", () => {
  expect(fieldAt(["training", "adam_beta2"], {})).toMatchObject({ type: "number", default: 0.999 });
  expect(fieldAt(["init", "sigma"], { init: { kind: "snowball" } })).toMatchObject({ type: "number", default: 1e-5 });
  expect(fieldAt(["init", "sigma"], { init: { kind: "singular" } })).toBeUndefined();
  expect(fieldAt(["training", "no_such_field", "below"], {})).toBeUndefined();
});

test("the kind of a union takes the kinds of all its branches", () => {
  expect(fieldAt(["init", "kind"], {})?.enum).toEqual(["normal", "singular", "qwen", "snowball", "unit-noise", "file", "python"]);
});

test("an index leads to the items of a list, also where the list is one of several alternatives", () => {
  expect(fieldAt(["record", "tensors", 0], {})?.anyOf?.[0]?.enum).toContain("wte.grad");
  expect(fieldAt(["record", "rows", 3], {})).toMatchObject({ type: "integer", minimum: 0 });
});

test("paths lead to fields that hold a value, each once", () => {
  const paths = fieldPaths();
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).not.toContain("$schema");
  for (const section of ["data", "model", "init", "training", "engine"]) expect(paths).not.toContain(section);
  for (const path of paths.filter((path) => !/^(?:init|model|engine)\./.test(path))) expect(fieldAt(path.split("."), {}), path).toBeDefined();
});
