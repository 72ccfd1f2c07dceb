import { expect, test } from "vitest";
import { acceptedLiterals, acceptedValues, configInvalid, nearestName, shownValue } from "../../../src/config/config-invalid.js";
import { fieldAt } from "../../../src/config/json-schema.js";

test("one problem is a problem, and stands on a line with its source below", () => {
  const error = configInvalid([{ path: "seed", message: "is missing", source: "my.yaml:3:5" }]);
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.message).toBe("The configuration has a problem:\n  seed: is missing\n    from my.yaml:3:5");
});

test("all problems are told at once and kept as they are, with the cause", () => {
  const issues = [
    { path: "seed", message: "is missing" },
    { path: "device", message: "is unknown" },
  ];
  const cause = new Error("why");
  const error = configInvalid(issues, cause);
  expect(error.message).toBe("The configuration has 2 problems:\n  seed: is missing\n  device: is unknown");
  expect(error.issues).toEqual(issues);
  expect(error.cause).toBe(cause);
});

test.each([
  ["text", '"text"'],
  ["", '""'],
  [null, "null"],
  [undefined, "undefined"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [-0, "-0"],
  [12n, "12n"],
  [{ a: [1, 2n] }, '{"a":[1,"2"]}'],
  [true, "true"],
])("%s is shown as %s", (value, text) => {
  expect(shownValue(value)).toBe(text);
});

test("a long value is cut after 60 characters, and one of 60 is not", () => {
  expect(shownValue("x".repeat(58))).toBe(`"${"x".repeat(58)}"`);
  expect(shownValue("x".repeat(59))).toBe(`"${"x".repeat(59)}… (59 characters)`);
});

test.each([
  [{ type: "integer" }, "an integer"],
  [{ type: "integer", minimum: 1 }, "an integer of at least 1"],
  [{ type: "number", minimum: 0, maximum: 1 }, "a number from 0 to 1"],
  [{ type: "number", minimum: 0, exclusiveMaximum: 1 }, "a number of at least 0 and below 1"],
  [{ type: "number", exclusiveMinimum: 0 }, "a number above 0"],
  [{ type: "number", maximum: 4 }, "a number of at most 4"],
  [{ type: "boolean" }, "true or false"],
  [{ anyOf: [{ type: "string" }, { type: "null" }] }, "text or null"],
  [{ enum: ["hf", "never", "always"] }, 'one of "hf", "never", "always"'],
  [{ enum: ["only"] }, '"only"'],
  [{ type: "string", minLength: 1, maxLength: 200 }, "text of 1 to 200 characters"],
  [{ type: "string", examples: ["every 10", "log 20"] }, 'text such as "every 10" or "log 20"'],
  [{ const: 3 }, "3"],
  [{ type: "array", minItems: 1, items: { type: "integer", minimum: 0 } }, "a list of at least 1, each an integer of at least 0"],
  [{ properties: { every: {}, keep: {} } }, "an object with every, keep"],
  [{ type: "object" }, "an object"],
])("%j accepts %s", (node, words) => {
  expect(acceptedValues(node)).toBe(words);
});

test("three alternatives are one list, whose last follows an `or`", () => {
  expect(acceptedValues({ oneOf: [{ type: "string" }, { type: "integer" }, { type: "null" }] })).toBe("text, an integer or null");
});

test("a long list of names ends with the number of those that are left out", () => {
  const names = Array.from({ length: 40 }, (_, index) => `optimizer_${index}`);
  const words = acceptedValues({ enum: names });
  expect(words).toContain('"optimizer_15" and 24 more');
  expect(words).not.toContain("optimizer_16");
});

test("a device is named as people write it, not by its pattern", () => {
  expect(acceptedValues(fieldAt(["device"], {}) ?? {})).toBe('one of "auto", "cpu", "cuda", "mps" or "cuda:N"');
});

test("the literals of a field are its texts, at any depth of alternatives", () => {
  expect(acceptedLiterals({ anyOf: [{ enum: ["all", "dead", 3] }, { const: "none" }, { anyOf: [{ const: "deep" }] }, { type: "integer" }] })).toEqual([
    "all",
    "dead",
    "none",
    "deep",
  ]);
  expect(acceptedLiterals({ type: "number" })).toEqual([]);
});

test.each([
  ["learning_rat", ["learning_rate", "weight_decay"], "learning_rate"],
  ["rmsnorm", ["layernorm-control", "rmsnorm-11.2a"], "rmsnorm-11.2a"],
  ["quik", ["quick", "clean"], "quick"],
  ["zzz", ["quick", "clean"], undefined],
  ["", ["quick"], undefined],
  ["quick", [], undefined],
])("%s among %j is %s", (name, candidates, nearest) => {
  expect(nearestName(name, candidates)).toBe(nearest);
});
