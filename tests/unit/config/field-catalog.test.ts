import { expect, test } from "vitest";
import { fieldAt, fieldPaths, fieldsOf, rootField } from "../../../src/config/field-catalog.js";

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
  expect(fieldAt(["init", "kind"], {})?.enum).toEqual(["normal", "singular", "qwen", "snowball", "unit-noise", "file"]);
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
