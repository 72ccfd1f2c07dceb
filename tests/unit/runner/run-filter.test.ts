import { expect, test } from "vitest";
import { compareFields, meets, parseRunFilters } from "../../../src/runner/run-filter.js";

test.each([
  ["seed>=42", 42, true],
  ["seed>42", 42, false],
  ["loss<1e-1", 0.05, true],
  ["status:done", "completed", true],
  ["name~SNOW", "snowball", true],
  ["tags:baseline", ["x", "baseline"], true],
  ["tags!=baseline", ["x"], true],
  ["loss<1", null, false],
] as const)("the condition %s on %j is %j", (text, value, expected) => {
  expect(parseRunFilters([text]).every((filter) => meets(value, filter))).toBe(expected);
});

test.each([
  ["rising", [1, 2, null]],
  ["falling", [2, 1, null]],
] as const)("runs without a value come last where the others are %s", (order, sorted) => {
  expect([1, null, 2].sort((left, right) => compareFields(left, right, order))).toEqual(sorted);
});

test("several conditions stand in one text or in many, and all have to be met", () => {
  expect(parseRunFilters(["status:done seed>=42", "  ", "name~a=b"])).toEqual([
    { field: "status", operator: ":", value: "completed" },
    { field: "seed", operator: ">=", value: "42" },
    { field: "name", operator: "~", value: "a=b" },
  ]);
});

test.each(["seed", "=42", "seed 42", ">"])("%j is no condition", (text) => {
  expect(() => parseRunFilters([text])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("is not a condition") }));
});
