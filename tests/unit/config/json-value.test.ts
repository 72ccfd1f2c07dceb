import { expect, test } from "vitest";
import { isPlainObject } from "../../../src/config/json-value.js";

test("an object literal is plain, and one without a prototype", () => {
  expect(isPlainObject({})).toBe(true);
  expect(isPlainObject(Object.create(null))).toBe(true);
});

test.each([null, undefined, [], "text", 1, () => 0, new Date(0), new Map(), Object.create({})])("%s is not", (value) => {
  expect(isPlainObject(value)).toBe(false);
});
