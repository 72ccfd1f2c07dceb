import { expect, test } from "vitest";
import { parseValue, setLayer } from "../../../src/config/set-layer.js";
import type { ConfigIssue } from "../../../src/errors.js";

test.each([
  ["3e-4", 3e-4],
  ["true", true],
  ["null", null],
  ["[1,2]", [1, 2]],
  ['{"a":1}', { a: 1 }],
  ['"42"', "42"],
  ["linear", "linear"],
  ["a=b", "a=b"],
  ["", ""],
])("%s is read as %j", (text, value) => {
  expect(parseValue(text)).toEqual(value);
});

test("paths nest, the later of two holds, and a value may hold an equals sign", () => {
  const issues: ConfigIssue[] = [];
  const { values, sourceOf } = setLayer(["a.b=1", "a.c.d=x=y", "a.b=2", "e=[1]"], issues);
  expect(values).toEqual({ a: { b: 2, c: { d: "x=y" } }, e: [1] });
  expect(sourceOf("a.c.d")).toBe("--set");
  expect(issues).toEqual([]);
});

test("a path through __proto__ makes a key and leaves every other object alone", () => {
  const { values } = setLayer(["__proto__.polluted=1"], []);
  expect(Object.keys(values)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
